import { stageKinds } from '../../deployments/plan.ts';
import type { DeployDocument, StackReport, StageReport } from '../../operate/deploy/document.ts';
import { formatDuration } from '../../scenario/duration.ts';
import { shellLine } from '../../shell/shell-words.ts';
import type { Colors } from '../colors.ts';

/** Resources of one stack that a screen names; the document has all. */
const MOST_RESOURCES = 8;

/** The whole of a plan, of a refusal, or of what was done. */
export function deployScreen(document: DeployDocument, colors: Colors): string {
  const { state, logFile } = document;
  switch (state) {
    case 'nothing':
      return 'Nothing differs from what is deployed.';
    case 'planned':
      return [...planLines(document), '', 'Dry run: nothing was changed.'].join('\n');
    case 'refused':
      return refusedLines(document, colors).join('\n');
    case 'deployed':
      return [
        colors.green('Deployed.'),
        ...dnsLines(document),
        ...document.stages.flatMap(hostLines),
        ...noteLines(document),
      ].join('\n');
    case 'stopped':
      return [...stoppedLines(document, colors), ...dnsLines(document), `log     ${logFile}`].join('\n');
    default:
      return state satisfies never;
  }
}

/** What is shown before consent is asked for. */
export function planLines(document: DeployDocument): readonly string[] {
  const { stacks, stages } = document;
  const same = stacks.filter(({ change }) => change === 'same').length;
  return [
    ...stacks.filter(({ change }) => change !== 'same').flatMap(stackLines),
    ...(same === 0 ? [] : [`${same} of ${stacks.length} stacks stay as they are`]),
    ...noteLines(document),
    '',
    ...stages.flatMap(stageLines),
  ];
}

function stackLines({ stack, region, change, resources }: StackReport): readonly string[] {
  const byMeaning = Map.groupBy(resources, ({ kind, type, means }) => `${kind} ${type}: ${means}`);
  const shown = [...byMeaning].slice(0, MOST_RESOURCES);
  const rest = byMeaning.size - shown.length;
  return [
    `${stack} (${region}): ${changeInWords(change)}`,
    ...shown.map(([what, all]) => {
      const names = all.map(({ logicalId }) => logicalId).slice(0, 3);
      const more = all.length > names.length ? ` and ${all.length - names.length} more` : '';
      return `  ${what} (${names.join(', ')}${more})`;
    }),
    ...(rest > 0 ? [`  and ${rest} more kinds of change (--json has them all)`] : []),
  ];
}

function changeInWords(change: StackReport['change']): string {
  switch (change) {
    case 'new':
      return 'new';
    case 'changed':
      return 'changes';
    case 'rehosted':
      return 'a host that its checks ask is another one';
    case 'same':
      return 'stays as it is';
    default:
      return change satisfies never;
  }
}

function stageLines({ kind, stacks, soak, watchDnsMs, command }: StageReport, at: number): readonly string[] {
  const after = [
    ...(watchDnsMs > 0 ? [`watch DNS for ${duration(watchDnsMs)}`] : []),
    ...(soak === undefined
      ? []
      : [
          `watch ${soak.observers.join(', ')}${soak.ms === 0 ? ' until its first report' : ` for ${duration(soak.ms)}`}`,
        ]),
  ];
  return [
    `stage ${at + 1}: ${stacks.length === 0 ? stageKinds[kind] : stacks.join(', ')}`,
    ...(command === undefined ? [] : [`  npx cdk ${shellLine(command)}`]),
    ...(after.length === 0 ? [] : [`  then ${after.join(', and ')}`]),
  ];
}

const duration = (ms: number): string => formatDuration(Math.ceil(ms / 1_000) * 1_000);

function refusedLines({ refusals }: DeployDocument, colors: Colors): readonly string[] {
  return [
    `${colors.red('Refused.')} Nothing was changed.`,
    ...refusals.flatMap(({ rule, reason, instead }) => [
      '',
      `✗ ${reason} (${rule})`,
      ...instead.map((step, at) => `  ${at + 1}. ${step}`),
    ]),
  ];
}

function stoppedLines({ stages, stopped }: DeployDocument, colors: Colors): readonly string[] {
  const done = stages.filter((stage) => stage.done).length;
  return [
    `${colors.red('Stopped.')} ${done} of ${stages.length} stages are done.`,
    ...(stopped === undefined ? [] : [stopped.reason, ...stopped.next.map((step) => `→ ${step}`)]),
  ];
}

function dnsLines({ dns }: DeployDocument): readonly string[] {
  if (dns.watched === 0) return [];
  return dns.moved.length === 0
    ? [`${dns.held} of ${dns.watched} names answer for the region that they answered for before`]
    : dns.moved.map(({ name, from, to }) => `✗ ${name}: ${from} before, ${to} now`);
}

const hostLines = ({ hosts }: StageReport): readonly string[] =>
  Object.entries(hosts ?? {}).map(([of, host]) => `the check of ${of} asks ${host} now`);

const noteLines = ({ notes }: DeployDocument): readonly string[] => notes.map((note) => `note: ${note}`);
