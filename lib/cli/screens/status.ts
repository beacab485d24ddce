import { beaconTableInWords } from '../../../lambda/core/beacon-table.ts';
import { cellFindingKinds } from '../../../lambda/core/cell-findings.ts';
import { endpointsInWords } from '../../../lambda/core/endpoint-findings.ts';
import { moveInWords, streamInWords } from '../../operate/cell-streams.ts';
import { named } from '../../operate/named.ts';
import type { CellStatus, FailbackOutlook, ObserverStatus, Status } from '../../operate/status-document.ts';
import type { Colors } from '../colors.ts';
import { localTime } from '../local-time.ts';
import { table } from '../table.ts';

export interface ScreenOptions {
  readonly colors: Colors;
  readonly columns: number;
  /** IANA name. Default: the machine's. */
  readonly timeZone?: string | undefined;
}

/** More cells than this do not fit a screen: cells that are where they belong are counted instead. */
const MAX_CELLS = 12;

/** Renders one screen: the verdict first, then the facts behind the verdict. */
export function statusScreen(status: Status, options: ScreenOptions): string {
  const { colors } = options;
  return [
    headline(status, colors),
    '',
    ...findings(status, colors),
    ...cells(status, options),
    ...streams(status, options),
    ...failback(status, options),
    '',
    observers(status, options),
    ...beacons(status),
    ...endpoints(status),
    '',
    ...controls(status, colors),
  ]
    .flatMap((line) => line.split('\n'))
    .map((line) => line.trimEnd())
    .join('\n');
}

function headline(status: Status, colors: Colors): string {
  const { quorum, primary, standby } = status;
  const where = quorum.region ?? colors.red(`no answer (${quorum.problem})`);
  return [
    `${colors.bold(status.name)} ${verdict(status, colors)}   ${new Date(status.atMs).toISOString()}`,
    `primary ${primary}, standby ${standby}; quorum says ${where}; ${votes(status)}`,
  ].join('\n');
}

function verdict({ ok, findings: all }: Status, colors: Colors): string {
  if (ok) return colors.green('HEALTHY');
  return all.some(({ level }) => level === 'bad') ? colors.red('NOT HEALTHY') : colors.yellow('NOT KNOWN');
}

function votes({ observers: all, votesToEvacuate }: Status): string {
  const known = all.filter(({ vote }) => vote !== undefined);
  const evacuate = known.filter(({ vote }) => vote === 'EVACUATE').length;
  if (known.length === 0) return 'votes not known';
  const rest = known.length === all.length ? '' : `, ${all.length - known.length} not known`;
  return `${evacuate} of ${known.length} votes EVACUATE${rest} (${votesToEvacuate} move traffic)`;
}

function findings({ findings: all }: Status, colors: Colors): readonly string[] {
  if (all.length === 0) return [];
  const marks = { bad: colors.red('✗'), unknown: colors.yellow('?'), note: colors.yellow('!') } as const;
  const lines = all.map(({ level, text, run }) => {
    return `${marks[level]} ${text}${run === undefined ? '' : colors.dim(`  → ${run}`)}`;
  });
  return [...lines, ''];
}

function cells(status: Status, { colors, columns }: ScreenOptions): readonly string[] {
  const settled = (cell: CellStatus): boolean => cell.region === status.primary && cell.switch === 'PRIMARY';
  const few = status.cells.length <= MAX_CELLS;
  const shown = few ? status.cells : status.cells.filter((cell) => !settled(cell)).slice(0, MAX_CELLS);
  const rows = shown.map(({ cell, group, region, stream, problem, switch: position }) => [
    cell,
    region === null ? colors.red('?') : region === status.primary ? region : colors.yellow(region),
    position === 'STANDBY' ? colors.yellow(position) : position,
    group === cell ? '' : group,
    problem ?? stream ?? '',
  ]);
  const rest = status.cells.length - shown.length;
  const counted = few
    ? []
    : [`… and ${rest} more cells, ${status.cells.filter(settled).length} of them in the primary`];
  if (rows.length === 0) return counted;
  return [table(['cell', 'DNS sends it to', 'switch', 'group', 'stream'], rows, { columns }), ...counted];
}

/** What is said of the cells' own streams, the worst first; nothing where nothing is said. */
function streams(status: Status, { colors, columns }: ScreenOptions): readonly string[] {
  const said = status.cells.filter(({ streams: { kind } }) => kind !== null).toSorted(byNeed);
  if (said.length === 0) return [];
  const rows = said.slice(0, MAX_CELLS).map(({ cell, streams: own }) => {
    const isAccused = own.sinceMs !== null;
    const words = streamInWords(own);
    return [
      cell,
      isAccused ? colors.red(words) : colors.yellow(words),
      own.sinceMs === null ? '' : age(Math.max(0, status.atMs - own.sinceMs)),
      moveInWords(own),
    ];
  });
  const rest = said.length - rows.length;
  return [
    '',
    table(['own stream of', 'is', 'for', 'so'], rows, { columns }),
    ...(rest === 0 ? [] : [`… and ${rest} more cells of whose streams something is said`]),
  ];
}

const kindsInOrder = Object.keys(cellFindingKinds);
const byNeed = ({ streams: a }: CellStatus, { streams: b }: CellStatus): number =>
  kindsInOrder.indexOf(a.kind ?? '') - kindsInOrder.indexOf(b.kind ?? '') ||
  b.observers.length - a.observers.length;

/** The lines that say who holds which cells in the standby, and from when these cells can fail back. */
function failback(
  { failback: outlook, atMs, cells: all, primary }: Status,
  { colors, timeZone }: ScreenOptions,
): readonly string[] {
  if (outlook === null || outlook === 'none') return [];
  const time = (ms: number): string => localTime(ms, { nowMs: atMs, timeZone });
  const held = outlook.held.map(({ cells: names, owner, reason, epoch, sinceMs }) => {
    const which = names.length === all.length ? 'every cell' : named(names);
    const by = owner === null ? 'somebody who left no name' : owner;
    const since =
      sinceMs === null ? '' : ` since ${localTime(sinceMs, { nowMs: atMs, timeZone, rounded: 'down' })}`;
    return `switched to the standby: ${which}${since}, by ${by}${reason === null ? '' : `: ${reason}`} (epoch ${epoch})`;
  });
  return ['', ...held, colors.bold(wayBack(outlook, { atMs, primary, time }))];
}

function wayBack(
  { possibleFrom, because, held }: FailbackOutlook,
  { atMs, primary, time }: { readonly atMs: number; readonly primary: string; time(ms: number): string },
): string {
  const why = because.length === 0 ? '' : `, because ${because.join('; ')}`;
  if (possibleFrom === null) return `failback: from when is not known${why}`;
  const fromMs = Date.parse(possibleFrom);
  if (fromMs > atMs) return `failback possible from ${time(fromMs)}, if ${primary} stays healthy${why}`;
  const cells = named(held.flatMap(({ cells: names }) => names));
  return `failback possible now: spillway failback --check ${cells.includes(' ') ? '--all' : `--cells ${cells}`}`;
}

function observers(status: Status, { colors, columns }: ScreenOptions): string {
  const rows = status.observers.map((observer) => observerRow(observer, colors));
  return table(['observer', 'vote', 'age', 'diagnosis', 'phase', 'epoch', 'why'], rows, { columns });
}

function observerRow(observer: ObserverStatus, colors: Colors): readonly string[] {
  const { region, answered, because, problem = '', vote, fresh, ageMs = 0, diagnosis = '' } = observer;
  if (answered === null) {
    return [region, colors.yellow('not known'), '', '', '', '', unseen[because as keyof typeof unseen] ?? ''];
  }
  if (!answered) return [region, colors.red('no answer'), '', '', '', '', problem];
  const shown = vote === 'EVACUATE' ? colors.red(vote) : (vote ?? '');
  const [refusal] = observer.refusals ?? [];
  const why =
    refusal === undefined || diagnosis === 'Healthy'
      ? (observer.comment ?? '')
      : `${observer.comment} [${refusal.rule}]`;
  return [
    region,
    fresh ? shown : colors.red(`${shown} (expired)`),
    age(ageMs),
    diagnosis === 'Healthy' ? diagnosis : colors.yellow(diagnosis),
    observer.phase ?? '',
    String(observer.epoch ?? ''),
    why,
  ];
}

/** One line: what most observers have is the same, and a finding tells where one cannot read. */
function beacons({ observers: all, atMs }: Status): readonly string[] {
  const readers = all.filter(({ fresh, beacons: table }) => fresh && table !== undefined);
  const shown = readers.find(({ beacons: table }) => table?.problem === undefined) ?? readers[0];
  if (shown?.beacons === undefined) return [];
  return ['', `beacons, as ${shown.region} has them: ${beaconTableInWords(shown.beacons, atMs)}`];
}

/** One line: what is in trouble is a finding above. */
function endpoints({ endpoints: looked }: Status): readonly string[] {
  if (looked === null) return [];
  const { findings: some, of } = looked;
  const rest = of > some.length ? ` (of ${of})` : '';
  return ['', `endpoints that Route 53 asks, asked from here: ${endpointsInWords(some)}${rest}`];
}

/** Short reasons; the findings have the whole reason. */
const unseen = { credentials: 'your credentials', denied: 'not allowed', missing: 'no such table' } as const;
const NOT_KNOWN = 'not known';

function controls(status: Status, colors: Colors): readonly string[] {
  const { lastAck, epoch, mode } = status;
  return [
    `mode ${mode === 'unknown' ? NOT_KNOWN : mode}   ${overrides(status, colors)}`,
    `epoch ${epoch ?? NOT_KNOWN}   lease ${lease(status)}`,
    `last drill ${lastDrill(status)}`,
    ...(lastAck === null || lastAck === 'none'
      ? []
      : [`last ack ${at(lastAck.atMs)} by ${lastAck.who}: ${lastAck.why}`]),
  ];
}

const at = (ms: number): string => new Date(ms).toISOString();

function overrides({ overrides: all }: Status, colors: Colors): string {
  if (all === null) return `overrides ${NOT_KNOWN}`;
  if (all.length === 0) return 'no override is in force';
  return all
    .map(
      ({ kind, cells: some, owner, reason, untilMs, active }) =>
        `${active ? colors.yellow(kind) : kind}${some === undefined ? '' : ` of ${named(some)} alone`} until ${at(untilMs)} by ${owner}: ${reason}`,
    )
    .join('; ');
}

function lease({ lease: now }: Status): string {
  if (now === null) return NOT_KNOWN;
  return now.held ? `held by ${now.holder} until ${at(now.untilMs)}` : 'free';
}

function lastDrill({ lastDrill: last }: Status): string {
  if (last === null) return NOT_KNOWN;
  return last === 'none' ? 'none recorded' : `${at(last.atMs)}: ${last.why}`;
}

export function age(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
