import type { JournalEntry } from '../../../lambda/core/journal.ts';
import type { Gain } from '../../../lambda/core/severity.ts';
import { credentialsLine } from '../../credentials/verdict.ts';
import type { PastRound } from '../../operate/past.ts';
import type { Reading } from '../../operate/reading.ts';
import type { CellChain, ObserverChain, Why } from '../../operate/why.ts';
import { historyScreen } from '../history.ts';
import { age, type ScreenOptions } from './status.ts';

export function whyScreen(why: Why, { colors }: ScreenOptions): string {
  // This is said once, because every observer would say the same.
  const refused =
    why.credentials.ok === false ? [`${colors.yellow('?')} ${credentialsLine(why.credentials)}`, ''] : [];
  const chains = why.observers.filter(({ answered }) => refused.length === 0 || answered !== null);
  return [
    ...refused,
    ...chains.flatMap((chain) => observerLines(chain, (text) => colors.bold(text))),
    colors.bold('together'),
    `  quorum    ${why.quorum}`,
    `  DNS       ${why.dns}`,
    `  switches  ${why.switches}`,
  ].join('\n');
}

const gains: Readonly<Record<Exclude<Gain, 'small'>, string>> = {
  large: 'large: far more fails in the primary than in the standby',
  'one-shard': 'shown by one shard of the canary alone',
};

function observerLines(chain: ObserverChain, bold: (text: string) => string): readonly string[] {
  const { region, problem, evidence, diagnosis, phase, refusals = [] } = chain;
  if (problem !== undefined && chain.answered === null) return [bold(region), `  not known: ${problem}`, ''];
  if (problem !== undefined)
    return [bold(region), `  does not answer: ${problem}; a vote that cannot be read counts as HOLD`, ''];
  const signals = (list: readonly string[] = []): string => (list.length === 0 ? 'all up' : list.join(', '));
  return [
    `${bold(region)}  decided ${age(chain.ageMs ?? 0)} ago`,
    `  evidence  primary: ${signals(evidence?.primary)}`,
    `            standby: ${signals(evidence?.standby)}`,
    ...(chain.gain === undefined || chain.gain === 'small' ? [] : [`            gain: ${gains[chain.gain]}`]),
    ...streamLines(chain),
    ...(chain.observer === 'sound' ? [] : [`            this observer: ${chain.observer}`]),
    ...(chain.beacons === undefined ? [] : [`  beacons   ${chain.beacons}`]),
    ...cellLines(chain),
    `  diagnosis ${diagnosis?.code} (${diagnosis?.when}); ${diagnosis?.actionable ? 'calls for an evacuation' : 'does not call for an evacuation'}`,
    // Unless the diagnosis calls for an evacuation, the other guards did not decide anything.
    ...(diagnosis?.actionable ? refusals.map(({ rule, reason }) => `  refused   ${rule}: ${reason}`) : []),
    `  phase     ${phase?.name}: ${phase?.meaning}`,
    `  decided   ${chain.comment}`,
    `  vote      ${chain.vote}`,
    '',
  ];
}

function streamLines({ streams, streamsSay }: ObserverChain): readonly string[] {
  if (streams === undefined) return [];
  const { watched, well, impaired, suspect } = streams;
  return [
    `            streams seen: ${well} of ${watched} well, ${impaired} impaired, ${suspect} suspect`,
    ...(streamsSay === undefined ? [] : [`            ${streamsSay}`]),
  ];
}

/** Cells of one observer that the screen shows, at most. The document has all that are stored. */
const MAX_CELLS = 8;

function cellLines({ cells = [] }: ObserverChain): readonly string[] {
  const rest = cells.length - MAX_CELLS;
  return [
    ...cells.slice(0, MAX_CELLS).flatMap((each) => cellText(each)),
    ...(rest > 0 ? [`            … and ${rest} more cells`] : []),
  ];
}

function cellText({ cell, kind, reason, puts, refusals, byHand }: CellChain): readonly string[] {
  const share =
    puts === undefined || puts.counted === 0
      ? ''
      : ` (${Math.round((100 * puts.failed) / puts.counted)} % of ${puts.counted} puts fail)`;
  const hasCommand = reason.includes('spillway failover');
  return [
    `  cell      ${cell} ${kind}${share}: ${reason}`,
    ...refusals.map((refusal) => `            refused   ${refusal.rule}: ${refusal.reason}`),
    ...(byHand === undefined || hasCommand ? [] : [`            by hand   ${byHand}`]),
  ];
}

export interface Past {
  readonly atMs: number;
  readonly rounds: ReadonlyMap<string, Reading<PastRound>>;
  readonly entries: Reading<readonly JournalEntry[]>;
}

export function pastScreen({ atMs, rounds, entries }: Past, { colors, columns }: ScreenOptions): string {
  const lines = [...rounds].flatMap(([region, round]) => {
    if (!round.ok) return [colors.bold(region), `  ${round.problem}`, ''];
    const { value } = round;
    const measured = (role: Readonly<Record<string, string>> | undefined): string =>
      Object.entries(role ?? {})
        .map(([signal, outcome]) => `${signal}: ${outcome}`)
        .join('; ') || 'not logged';
    return [
      `${colors.bold(region)}  ${age(Math.max(0, atMs - value.atMs))} before`,
      `  primary   ${measured(value.primary)}`,
      `  standby   ${measured(value.standby)}`,
      ...(value.cells ?? [])
        .slice(0, MAX_CELLS)
        .map(({ cell, kind, reason }) => `  cell      ${cell} ${kind}: ${reason}`),
      `  diagnosis ${value.diagnosis}`,
      ...(value.refusals?.length ? [`  refused   ${value.refusals.join(', ')}`] : []),
      `  phase     ${value.phase}`,
      `  decided   ${value.message}`,
      `  vote      ${value.vote}`,
      '',
    ];
  });
  const journal = journalLines(entries, columns);
  return [`At ${new Date(atMs).toISOString()}`, '', ...lines, colors.bold('recorded by then'), journal].join(
    '\n',
  );
}

function journalLines(entries: Past['entries'], columns: number): string {
  if (!entries.ok) return `not known: ${entries.problem}`;
  return entries.value.length === 0 ? 'nothing' : historyScreen(entries.value, columns);
}
