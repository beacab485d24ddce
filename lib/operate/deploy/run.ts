import type { Role } from '../../../lambda/core/role.ts';
import {
  type Answered,
  type AnswersFound,
  judgeAnswers,
  type PublicName,
} from '../../deployments/answers.ts';
import type { Stage } from '../../deployments/plan.ts';
import {
  beginSoak,
  lookAtSoak,
  SOAK_GRACE_MS,
  type SoakFinding,
  soakFaults,
  type Voice,
} from '../../deployments/soak.ts';
import { formatDuration } from '../../scenario/duration.ts';
import { hostsToGive, type StaleHost } from './compare.ts';
import { CdkFailedError } from './errors.ts';

/** What carrying out a plan needs from the world. Each rejects with the signal's reason once it is aborted. */
export interface RunPorts {
  /** Deploys these stacks; with hosts, from an assembly that has them in place of references. */
  readonly deploy: (stacks: readonly string[], hosts?: Readonly<Record<string, string>>) => Promise<void>;
  readonly askNames: () => Promise<ReadonlyMap<string, Answered>>;
  readonly voices: () => Promise<readonly Voice[]>;
  /** Endpoints whose checks ask a host that is not theirs any more. */
  readonly staleHosts: () => Promise<readonly StaleHost[]>;
  readonly sleep: (ms: number) => Promise<void>;
  readonly nowMs: () => number;
  /** Progress that the next one replaces, and lines that stay. */
  readonly say: (text: string) => void;
  readonly tell: (text: string) => void;
  readonly throwIfAborted: () => void;
}

export interface Verified {
  readonly names: ReadonlyMap<string, readonly PublicName[]>;
  /** The region of each name before anything was changed. */
  readonly before: ReadonlyMap<string, Role>;
}

export interface StageDone {
  readonly stage: Stage;
  readonly tookMs: number;
  /** Hosts that were given in place of references. */
  readonly hosts?: Readonly<Record<string, string>>;
}

/** Why a deployment ended before its last stage. */
export interface Stopped {
  readonly stage: Stage;
  /** `cdk`: the CDK failed. `dns`: a name changed its region. `unasked`: DNS did not answer. `soak`: an observer is not sound. */
  readonly by: 'cdk' | 'dns' | 'unasked' | 'soak' | 'hosts';
  readonly reason: string;
  readonly next: readonly string[];
}

export interface RunEnd {
  readonly done: readonly StageDone[];
  readonly stopped?: Stopped;
  readonly dns: AnswersFound;
}

const POLL_MS = 10_000;
/** A cache may hold one answer of before; a second one in a row is no chance. */
const CONFIRM_MS = 2_000;
const UNASKED_ATTEMPTS = 5;
const UNASKED_AGAIN_MS = 5_000;
/** A function URL of a new stack is put out with the stack; the guard’s items come a moment after the routing. */
const STALE_ATTEMPTS = 3;

class StoppedError extends Error {
  override readonly name = 'StoppedError';
  readonly by: Stopped['by'];
  readonly next: readonly string[];

  constructor(by: Stopped['by'], reason: string, next: readonly string[]) {
    super(reason);
    this.by = by;
    this.next = next;
  }
}

/** Carries out the stages, one after the other. Throws only what no stage can be blamed for. */
export async function runStages(
  stages: readonly Stage[],
  verified: Verified,
  ports: RunPorts,
): Promise<RunEnd> {
  const done: StageDone[] = [];
  let dns: AnswersFound = { moved: [], silent: [], held: verified.before.size };
  const seen = (found: AnswersFound): void => {
    dns = found;
  };
  for (const [at, stage] of stages.entries()) {
    ports.throwIfAborted();
    ports.tell(`stage ${at + 1} of ${stages.length}: ${stageInWords(stage)}`);
    const beganMs = ports.nowMs();
    try {
      const hosts = await runStage(stage, { verified, ports, seen });
      const given = Object.assign({}, ...done.map((each) => each.hosts), hosts);
      if (at === stages.length - 1) await mended(given, ports);
      done.push({ stage, tookMs: ports.nowMs() - beganMs, ...(hosts === undefined ? {} : { hosts }) });
    } catch (error) {
      ports.throwIfAborted();
      if (error instanceof StoppedError) {
        return { done, dns, stopped: { stage, by: error.by, reason: error.message, next: error.next } };
      }
      if (!(error instanceof CdkFailedError)) throw error;
      seen(await judged(verified, ports).catch(() => dns));
      return { done, dns, stopped: { stage, by: 'cdk', reason: error.message, next: afterFailure(stage) } };
    }
  }
  return { done, dns };
}

export const stageInWords = ({ stacks, soak }: Stage): string =>
  [
    ...(stacks.length === 0 ? [] : [stacks.join(', ')]),
    ...(soak === undefined
      ? []
      : [
          `watch ${soak.observers.join(', ')}${soak.ms === 0 ? '' : ` for ${formatDuration(Math.ceil(soak.ms / 1_000) * 1_000)}`}`,
        ]),
  ].join('; then ');

interface Running {
  readonly verified: Verified;
  readonly ports: RunPorts;
  readonly seen: (found: AnswersFound) => void;
}

async function runStage(stage: Stage, running: Running): Promise<StageDone['hosts']> {
  const { ports } = running;
  const { stacks, soak, kind } = stage;
  let hosts: StageDone['hosts'];
  if (stacks.length > 0) {
    const stale = ['routing', 'firstCells', 'cells'].includes(kind) ? await ports.staleHosts() : [];
    const given = hostsToGive(stale);
    if (Object.keys(given).length > 0) {
      hosts = given;
      for (const { of, stored, now } of stale) {
        ports.tell(`  the check of ${of} goes from ${stored} to ${now ?? 'a host that is not known'}`);
      }
    }
    await ports.deploy(stacks, hosts);
  }
  const deployedAtMs = ports.nowMs();
  await verify(stage, running, deployedAtMs + stage.watchDnsMs);
  if (soak !== undefined) await soaked(stage, running, stacks.length > 0 ? deployedAtMs : undefined);
  return hosts;
}

/** Asks every name until the time is over. @throws StoppedError as soon as one answers for another region */
async function verify(stage: Stage, { verified, ports, seen }: Running, untilMs: number): Promise<void> {
  if (verified.before.size === 0) return;
  for (;;) {
    const found = await confirmed(verified, ports);
    seen(found);
    if (found.moved.length > 0) throw movedError(stage, found);
    const leftMs = untilMs - ports.nowMs();
    if (leftMs <= 0) {
      if (found.silent.length === 0) return;
      throw new StoppedError(
        'unasked',
        `DNS does not answer for ${found.silent.slice(0, 3).join(', ')}: whether the names stay where they are is not known.`,
        ['Give servers that answer by --dns, and run the command again: it goes on with what is left.'],
      );
    }
    ports.say(`${found.held} names answer as before; watching for ${roughly(leftMs)} more`);
    await ports.sleep(Math.min(POLL_MS, leftMs));
  }
}

/** Asks again what seems to have moved, or did not answer. */
async function confirmed(verified: Verified, ports: RunPorts): Promise<AnswersFound> {
  let found = await judged(verified, ports);
  if (found.moved.length > 0) {
    await ports.sleep(CONFIRM_MS);
    found = await judged(verified, ports);
  }
  for (let again = 1; again < UNASKED_ATTEMPTS && found.silent.length > 0; again++) {
    await ports.sleep(UNASKED_AGAIN_MS);
    found = await judged(verified, ports);
  }
  return found;
}

async function judged({ names, before }: Verified, ports: RunPorts): Promise<AnswersFound> {
  return judgeAnswers({ names, before, now: await ports.askNames() });
}

function movedError({ stacks }: Stage, { moved }: AnswersFound): StoppedError {
  const shown = moved
    .slice(0, 3)
    .map(({ name, from, to }) => `${name} answered for the ${from}, and answers ${inWords(to)}`);
  return new StoppedError('dns', `${moved.length} names changed their region: ${shown.join('; ')}.`, [
    'See why: `spillway status`, then `spillway why`. If observers accuse the primary, this is an evacuation and not the deployment: deploy again when it is over.',
    ...(stacks.length === 0
      ? []
      : [
          `If not, the last change was ${stacks.join(', ')}: go back to the former config or version, and \`spillway deploy\`.`,
        ]),
  ]);
}

const inWords = (to: Role | 'none' | 'unknown'): string =>
  to === 'none' ? 'not at all' : to === 'unknown' ? 'something that no config says' : `for the ${to}`;

/** Watches observers until they have been sound for long enough. @throws StoppedError */
async function soaked(stage: Stage, running: Running, deployedAtMs: number | undefined): Promise<void> {
  const { ports } = running;
  const { soak } = stage;
  if (soak === undefined) return;
  // An observer of an earlier run has had its time to begin.
  let memory = beginSoak(deployedAtMs ?? ports.nowMs() - SOAK_GRACE_MS);
  for (;;) {
    const nowMs = ports.nowMs();
    const look = lookAtSoak(memory, { voices: await ports.voices(), ...soak, nowMs });
    memory = look.memory;
    const { verdict } = look;
    if (verdict.state === 'sound') return;
    if (verdict.state === 'bad') throw soakError(stage, verdict.faults);
    const faults = verdict.faults.map(faultInWords);
    ports.say(
      faults.length > 0
        ? `waiting: ${faults.join('; ')}`
        : `${soak.observers.join(', ')}: sound, ${roughly(verdict.leftMs)} left`,
    );
    await ports.sleep(POLL_MS);
    await verify({ ...stage, watchDnsMs: 0 }, running, ports.nowMs());
  }
}

/** Whole minutes where there are some, so that a log has a line a minute. */
const roughly = (ms: number): string =>
  ms > 90_000 ? `${Math.ceil(ms / 60_000)} min` : `${Math.ceil(ms / 10_000) * 10} s`;

const faultInWords = ({ region, fault }: SoakFinding): string => `${region}: ${soakFaults[fault]}`;

function soakError({ stacks }: Stage, faults: readonly SoakFinding[]): StoppedError {
  const why =
    faults.length === 0
      ? 'it is not sound for long enough without a break'
      : faults.map(faultInWords).join('; ');
  return new StoppedError('soak', `An observer of the new version is not sound: ${why}.`, [
    'See what it says: `spillway why`, and the log of its function in that region. No other observer has the new version yet.',
    ...(stacks.length === 0
      ? []
      : [
          `To go back: the former version, and \`spillway deploy\`, which changes ${stacks.join(', ')} alone.`,
        ]),
  ]);
}

const afterFailure = ({ stacks }: Stage): readonly string[] => [
  `CloudFormation takes back what it changed of ${stacks.join(', ')}. Read the reason above, correct it, and run \`spillway deploy\` again: it goes on with what is left.`,
];

/** A check that was given a host must ask it: the guard has stored so. @throws StoppedError */
async function mended(hosts: Readonly<Record<string, string>>, ports: RunPorts): Promise<void> {
  if (Object.keys(hosts).length === 0) return;
  for (let attempt = 1; ; attempt++) {
    const stale = (await ports.staleHosts()).filter(({ of }) => hosts[of] !== undefined);
    if (stale.length === 0) return;
    if (attempt < STALE_ATTEMPTS) {
      await ports.sleep(CONFIRM_MS);
      continue;
    }
    throw new StoppedError(
      'hosts',
      `The check of ${stale.map(({ of, stored }) => `${of} still asks ${stored}`).join('; ')}.`,
      [
        'See what the guard says in its log (`/aws/lambda/NAME-guard` in the standby), and run the command again.',
      ],
    );
  }
}
