import { createMapping } from './consumer-commands.ts';
import type {
  ConsumerFacts,
  ConsumerOfCell,
  ConsumersOfCell,
  MappingSettings,
  Obstacle,
} from './consumer-facts.ts';
import { type ConsumerFinding, type ConsumerFindingCode, consumerFindings } from './consumer-findings.ts';
import { sinceWhen, workingMapping } from './consumer-mapping-rules.ts';
import { findInRegion, isPresent } from './consumer-rules.ts';
import { differingSettings, graveDifferences } from './consumer-settings.ts';
import { consumerKinds } from './consumers.ts';
import type { Role } from './role.ts';

const roles: readonly Role[] = ['primary', 'standby'];
const other: Readonly<Record<Role, Role>> = { primary: 'standby', standby: 'primary' };

/** Everything that is found about the consumers of a cell. Pure; without facts there is no fault. */
export function judgeCell(cell: ConsumersOfCell, nowMs: number): readonly ConsumerFinding[] {
  const streams = roles.filter((role) => cell.streams[role].exists === false);
  const found = [
    ...streams.map((role) => {
      const { name, region } = cell.streams[role];
      const text = `there is no stream ${name} in ${region}`;
      return of(cell, null, { role, code: 'stream-missing', text });
    }),
    ...nobody(cell),
    ...cell.consumers.flatMap((consumer) => [
      ...presence(cell, consumer, nowMs),
      ...roles
        .filter((role) => !streams.includes(role))
        .flatMap((role) => inRegion(cell, consumer, { role, nowMs })),
      ...bothRegions(cell, consumer),
    ]),
  ];
  return found;
}

/** Pure: one finding for each obstacle. */
export const judgeObstacles = (obstacles: readonly Obstacle[]): readonly ConsumerFinding[] =>
  obstacles.map(({ region, service, kind, actions, problem }) => {
    const text =
      kind === 'denied'
        ? `${region} does not allow ${actions.join(', ')}: ${service} could not be asked there`
        : `${service} in ${region} could not be read: ${problem}`;
    const row = consumerFindings[kind];
    const fix =
      kind === 'denied' ? 'npx spillway policy operator --verbs consumers --account ACCOUNT' : row.fix;
    return {
      ...{ code: kind, level: row.level, cell: null, kind: null, consumer: null, role: null },
      ...{ region, text, fix },
    };
  });

/** Whether a consumer would work in a region, for a digest: as far as it is known. */
export type Working = 'yes' | 'no' | 'unknown';

export function workingIn(
  consumer: ConsumerOfCell,
  role: Role,
  findings: readonly ConsumerFinding[],
): Working {
  const own = findings.filter(
    (finding) =>
      finding.kind === consumer.kind &&
      finding.consumer === nameIn(consumer, role) &&
      (finding.role === role || finding.role === null),
  );
  if (own.some(({ level, code }) => level === 'bad' && !hindersNobody.has(code))) return 'no';
  return isKnown(consumer.facts[role]) ? 'yes' : 'unknown';
}

/** Of the primary, of records that may never come, or of what becomes of records that are read. */
const hindersNobody: ReadonlySet<ConsumerFindingCode> = new Set([
  'missing-in-primary',
  'no-probes',
  'answers-differ',
  'filters-differ',
]);

function isKnown(facts: ConsumerFacts | undefined): boolean {
  switch (facts?.kind) {
    case 'lambda':
      return facts.mappings !== undefined;
    case 'kcl':
      return (facts.leases?.renewed ?? 0) > 0;
    case 'enhancedFanOut':
      // Registered is not subscribed: without data of a subscription nobody knows.
      return facts.status !== undefined && facts.lagMs !== null;
    case 'firehose':
      return facts.status !== undefined;
    case 'other':
      return facts.alarm === 'OK';
    case undefined:
      return false;
    default:
      return facts satisfies never;
  }
}

/** The name of a consumer, be it that it has one in the other region alone. */
export const nameIn = ({ name }: ConsumerOfCell, role: Role): string => name[role] ?? name[other[role]] ?? '';

function nobody(cell: ConsumersOfCell): readonly ConsumerFinding[] {
  const { declared, searched, consumers, streams } = cell;
  if (declared || consumers.length > 0 || !searched.primary || !searched.standby) return [];
  const { name, region, isPolled } = streams.standby;
  const fix = `Name what reads it in the config: { name: '${cell.cell}', …, consumers: [{ kind: 'kcl', leaseTable: '…' }] }; consumers: [] says that nothing does.`;
  if (isPolled === true) {
    const text = `somebody reads ${name} in ${region}, and it is not known who`;
    return [of(cell, null, { role: 'standby', code: 'none-known', text, fix })];
  }
  const text = `nothing is found that reads ${streams.primary.name} in ${streams.primary.region} or ${name} in ${region}`;
  return [of(cell, null, { code: 'none-found', text, fix })];
}

function presence(
  cell: ConsumersOfCell,
  consumer: ConsumerOfCell,
  nowMs: number,
): readonly ConsumerFinding[] {
  const present = {
    primary: isPresent(consumer.facts.primary),
    standby: isPresent(consumer.facts.standby),
  };
  const { label } = consumerKinds[consumer.kind];
  const absent = roles.filter((role) => present[role] === false);
  if (absent.length === roles.length) {
    const { primary, standby } = cell.streams;
    const text = `${label} ${nameIn(consumer, 'standby')} reads the stream neither in ${primary.region} nor in ${standby.region}`;
    return [of(cell, consumer, { code: 'missing', text, fix: creation(cell, consumer, 'standby') })];
  }
  return absent.map((role) => {
    const here = cell.streams[role];
    const there = present[other[role]] === true ? `, only in ${cell.streams[other[role]].region}` : '';
    const since = consumer.kind === 'lambda' ? sinceWhen({ stream: here, role, nowMs }) : '';
    const text = `${label} ${nameIn(consumer, role)} does not read ${here.name} in ${here.region}${there}${since}`;
    const fix = creation(cell, consumer, role);
    return of(cell, consumer, { role, code: `missing-in-${role}`, text, fix });
  });
}

/** What its mapping in a region does with a batch. */
function settingsIn({ facts }: ConsumerOfCell, role: Role): MappingSettings | undefined {
  const one = facts[role];
  return one?.kind === 'lambda' ? workingMapping(one.mappings)?.settings : undefined;
}

/** The command that creates a consumer in a region. */
function creation(cell: ConsumersOfCell, consumer: ConsumerOfCell, role: Role): string {
  const stream = cell.streams[role];
  const name = nameIn(consumer, role);
  const arn = stream.arn ?? `arn:aws:kinesis:${stream.region}:ACCOUNT:stream/${stream.name}`;
  switch (consumer.kind) {
    case 'lambda':
      return createMapping({ stream, role, consumer: name, settings: settingsIn(consumer, other[role]) });
    case 'enhancedFanOut':
      return `aws kinesis register-stream-consumer --region ${stream.region} --stream-arn ${arn} --consumer-name ${name}`;
    case 'firehose':
      return `Create Firehose stream ${name} in ${stream.region} with the source ${arn}.`;
    case 'kcl':
    case 'other':
      return `Start ${name} in ${stream.region}.`;
    default:
      return consumer.kind satisfies never;
  }
}

function inRegion(
  cell: ConsumersOfCell,
  consumer: ConsumerOfCell,
  { role, nowMs }: { readonly role: Role; readonly nowMs: number },
): readonly ConsumerFinding[] {
  const settings = settingsIn(consumer, other[role]);
  const context = { stream: cell.streams[role], role, consumer: nameIn(consumer, role), nowMs, settings };
  return findInRegion(consumer.facts[role], context).map((found) => of(cell, consumer, { role, ...found }));
}

/** `recordsOf` is for the events of Lambda. */
const SKIP_PROBES =
  "Skip records whose partition key begins with spillway-probe/, as isProbeRecord does (docs/envelope.md), and write `takes` into the config; or write probe: 'never' for the cell.";

/** What is about the consumer as such. */
function bothRegions(cell: ConsumersOfCell, consumer: ConsumerOfCell): readonly ConsumerFinding[] {
  const { takes, kind, alarm } = consumer;
  const name = nameIn(consumer, 'standby');
  const { label } = consumerKinds[kind];
  const found: ConsumerFinding[] = [];
  const add = (code: ConsumerFindingCode, text: string, fix?: string): void =>
    void found.push(of(cell, consumer, { code, text, ...(fix !== undefined && { fix }) }));
  if (cell.carriesAggregates === true && takes !== undefined && !takes.includes('aggregates')) {
    add(
      'no-aggregates',
      `the stream carries aggregates, and ${label} ${name} takes none, as the config has it`,
    );
  }
  if (cell.probe !== 'never' && takes !== undefined && !takes.includes('probes')) {
    add(
      'no-probes',
      `observers may put marked records into the streams (probe: ${cell.probe}), and ${label} ${name} takes none, as the config has it`,
      kind === 'kcl' || kind === 'other' ? SKIP_PROBES : undefined,
    );
  }
  if (kind === 'other' && alarm === undefined) {
    add('unwatched', `nothing is known of ${label} ${name}: the config names no alarm for it`);
  }
  const regions = { primary: cell.streams.primary.region, standby: cell.streams.standby.region };
  for (const one of graveDifferences(consumer, { who: `function ${name}`, regions })) {
    found.push(of(cell, consumer, one));
  }
  const differing = differingSettings(consumer);
  if (differing.length > 0) {
    add(
      'settings-differ',
      `the mappings of function ${name} differ: ${differing.join('; ')} (primary and standby)`,
    );
  }
  return found;
}

interface Told {
  readonly code: ConsumerFindingCode;
  readonly text: string;
  /** Default: that of the table. */
  readonly fix?: string;
  /** Absent: of both regions. */
  readonly role?: Role;
}

function of(
  cell: ConsumersOfCell,
  consumer: ConsumerOfCell | null,
  { code, text, fix = consumerFindings[code].fix, role }: Told,
): ConsumerFinding {
  return {
    code,
    level: consumerFindings[code].level,
    cell: cell.cell,
    kind: consumer?.kind ?? null,
    consumer: consumer === null ? null : nameIn(consumer, role ?? 'standby'),
    role: role ?? null,
    region: role === undefined ? null : cell.streams[role].region,
    text,
    fix,
  };
}
