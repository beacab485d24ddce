import { effectOf, type TrafficEffect } from '../../deployments/effects.ts';
import type { Stage, StageKind } from '../../deployments/plan.ts';
import { type DeployRule, deployRefusals } from '../../deployments/refusals.ts';
import type { ResourceChangeKind } from '../../deployments/template.ts';
import { deployArguments } from './cdk.ts';
import type { Prepared } from './prepare.ts';
import type { RunEnd, Stopped } from './run.ts';

/** What `spillway deploy --json` prints, once, at the end. */
export interface DeployDocument {
  readonly ok: boolean;
  /** `nothing`: no stack differs. `planned`: a dry run. `stopped`: some stages are done, and the rest is not. */
  readonly state: 'nothing' | 'planned' | 'refused' | 'deployed' | 'stopped';
  readonly stacks: readonly StackReport[];
  readonly stages: readonly StageReport[];
  readonly refusals: readonly RefusalReport[];
  readonly notes: readonly string[];
  readonly dns: DnsReport;
  readonly stopped?: StoppedReport;
  /** All that the CDK said. */
  readonly logFile: string;
}

export interface StackReport {
  readonly stack: string;
  readonly region: string;
  /** `rehosted`: the template is the same, and a host that its checks ask is another one. */
  readonly change: 'new' | 'changed' | 'rehosted' | 'same';
  readonly resources: readonly {
    readonly logicalId: string;
    readonly type: string;
    readonly kind: ResourceChangeKind;
    readonly properties: readonly string[];
    readonly traffic: TrafficEffect;
    readonly means: string;
  }[];
}

export interface StageReport {
  readonly kind: StageKind;
  readonly stacks: readonly string[];
  /** Arguments of the CDK; absent for a stage that only watches. */
  readonly command?: readonly string[];
  readonly soak?: { readonly observers: readonly string[]; readonly ms: number };
  readonly watchDnsMs: number;
  readonly done: boolean;
  readonly tookMs?: number;
  /** Hosts that checks were given in place of references. */
  readonly hosts?: Readonly<Record<string, string>>;
}

export interface RefusalReport {
  readonly rule: DeployRule;
  readonly subject: string;
  readonly reason: string;
  readonly instead: readonly string[];
}

export interface DnsReport {
  /** Names that must go on answering for their region. */
  readonly watched: number;
  readonly held: number;
  readonly moved: readonly { readonly name: string; readonly from: string; readonly to: string }[];
  readonly silent: readonly string[];
}

export interface StoppedReport {
  readonly by: Stopped['by'];
  readonly stacks: readonly string[];
  readonly reason: string;
  readonly next: readonly string[];
}

export interface DocumentOptions {
  readonly prepared: Prepared;
  readonly assembly: string;
  /** Options of the CDK beside Spillway’s. */
  readonly extra: readonly string[];
  readonly logFile: string;
  readonly dryRun: boolean;
  /** Absent: nothing was deployed. */
  readonly end?: RunEnd;
}

export function documentOf({
  prepared,
  assembly,
  extra,
  logFile,
  dryRun,
  end,
}: DocumentOptions): DeployDocument {
  const { comparisons, refusals, stages, notes, before } = prepared;
  const dns = end?.dns ?? { moved: [], silent: [], held: before.size };
  const state = stateOf(prepared, { dryRun, end });
  const selectorOf = (name: string): string =>
    comparisons.find((stack) => stack.name === name)?.selector ?? name;
  return {
    ok: ['nothing', 'planned', 'deployed'].includes(state),
    state,
    stacks: comparisons.map(({ name, region, change, diff }) => ({
      stack: name,
      region,
      change,
      // Everything of a new stack is new.
      resources: change === 'new' ? [] : diff.resources.map((each) => ({ ...each, ...effectIn(each) })),
    })),
    stages: stages.map((stage) => stageReport(stage, { selectorOf, assembly, extra, end })),
    refusals: refusals.map((refusal) => ({
      ...refusal,
      instead: deployRefusals[refusal.rule].instead.map((step) => step.replaceAll('CELL', refusal.subject)),
    })),
    notes,
    dns: {
      watched: before.size,
      held: dns.held,
      moved: dns.moved.map(({ name, from, to }) => ({ name, from, to })),
      silent: dns.silent,
    },
    ...(end?.stopped === undefined
      ? {}
      : {
          stopped: {
            by: end.stopped.by,
            stacks: end.stopped.stage.stacks,
            reason: end.stopped.reason,
            next: end.stopped.next,
          },
        }),
    logFile,
  };
}

const effectIn = (change: Parameters<typeof effectOf>[0]) => {
  const { traffic, means } = effectOf(change);
  return { traffic, means };
};

function stateOf(
  { refusals, stages }: Prepared,
  { dryRun, end }: { readonly dryRun: boolean; readonly end: RunEnd | undefined },
): DeployDocument['state'] {
  if (refusals.length > 0) return 'refused';
  if (stages.length === 0) return 'nothing';
  if (dryRun || end === undefined) return 'planned';
  return end.stopped === undefined ? 'deployed' : 'stopped';
}

function stageReport(
  stage: Stage,
  {
    selectorOf,
    assembly,
    extra,
    end,
  }: {
    readonly selectorOf: (name: string) => string;
    readonly assembly: string;
    readonly extra: readonly string[];
    readonly end: RunEnd | undefined;
  },
): StageReport {
  const done = end?.done.find((each) => each.stage === stage);
  const { kind, stacks, soak, watchDnsMs } = stage;
  return {
    kind,
    stacks,
    ...(stacks.length === 0
      ? {}
      : { command: deployArguments(stacks.map(selectorOf), { outDir: assembly, extra }) }),
    ...(soak === undefined ? {} : { soak }),
    watchDnsMs,
    done: done !== undefined,
    ...(done === undefined ? {} : { tookMs: done.tookMs }),
    ...(done?.hosts === undefined ? {} : { hosts: done.hosts }),
  };
}
