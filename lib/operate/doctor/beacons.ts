import { type BeaconTable, beaconTableInWords } from '../../../lambda/core/beacon-table.ts';
import { beaconTableName, beaconWriterPolicyName } from '../../../lambda/core/names.ts';
import type { ErrorClass } from '../../../lambda/core/probe.ts';
import type { Config } from '../../config/config.ts';
import { named } from '../named.ts';
import { type ObserverReadings, readObservers } from '../observers.ts';
import { type Check, type Finding, hint, ill, well } from './check.ts';

const CHECK = 'beacons';
const TIMEOUT_MS = 2_500;
const DEPLOY = 'Deploy to every region: npx cdk deploy --all';

/** Checks that the observers can read what producers report, and that producers report. */
export const beacons: Check = {
  check: CHECK,
  purpose: 'observers can read the beacons of producers, and producers write them',
  region: ({ regions }) => regions.standby,
  run: async ({ clients, config, nowMs }) => {
    if (config.beacons === undefined) return beaconFindings(config, new Map(), nowMs);
    const readings = await readObservers(config, { clients, timeoutMs: TIMEOUT_MS, nowMs: () => nowMs });
    return beaconFindings(config, readings, nowMs);
  },
};

interface Seen {
  readonly region: string;
  readonly table: BeaconTable | undefined;
}

/** Pure. An observer that is silent is a finding of the check of observers. */
export function beaconFindings(
  config: Config,
  readings: ObserverReadings,
  nowMs: number,
): readonly Finding[] {
  if (config.beacons === undefined) return offFindings(config);
  const seen = [...readings].flatMap(([region, report]): readonly Seen[] =>
    report.ok && report.value.fresh ? [{ region, table: report.value.beacons }] : [],
  );
  const tables = seen.flatMap(({ table }) => (table === undefined ? [] : [table]));
  const found = [
    ...seen.flatMap((each) => unreadFindings(config, each, nowMs)),
    ...silentFindings(config, tables),
  ];
  const more = [...floodFindings(config, tables), ...ignoredFindings(tables)];
  if (found.length > 0 || tables.length === 0) return [...found, ...more];
  return [...more, well(CHECK, `sources that report: ${countsInWords(tables)}`)];
}

/** What the policy would do with beacons, where there are none. */
function offFindings({ policy }: Config): readonly Finding[] {
  if (policy.beacons === 'ignore') return [well(CHECK, 'off, and the policy ignores them')];
  return [
    hint(
      CHECK,
      `off: no producer reports, so policy.beacons (${policy.beacons}) has nothing to act on`,
      "Write beacons: true and give producers the right and the option (docs/beacons.md), or policy.beacons: 'ignore'.",
    ),
  ];
}

const fixes: Readonly<Partial<Record<ErrorClass, string>>> = {
  missing: DEPLOY,
  access: `${DEPLOY}; and look for a policy of the organization that refuses dynamodb:Scan`,
  throttled: 'See who else reads the table, and raise its limits if it has any.',
};

function unreadFindings({ name }: Config, { region, table }: Seen, nowMs: number): readonly Finding[] {
  if (table === undefined)
    return [ill(CHECK, `the observer in ${region} does not read ${beaconTableName(name)}`, DEPLOY)];
  const { problem, isComplete } = table;
  if (problem === undefined && isComplete) return [];
  const log = `Read its log: aws logs tail /aws/lambda/${name}-observer --region ${region} --since 10m`;
  const fix = problem === undefined ? log : (fixes[problem.errorClass] ?? log);
  const what = `${beaconTableName(name)}, as the observer in ${region} has it`;
  return [ill(CHECK, `${what}: ${beaconTableInWords(table, nowMs)}`, fix)];
}

/** Producers of the cell of drills run in drills alone. */
function silentFindings({ name, drill }: Config, all: readonly BeaconTable[]): readonly Finding[] {
  const tables = all.filter(({ completeAtMs }) => completeAtMs !== undefined);
  if (tables.length === 0) return [];
  const fix = `Give producers the option beacons, and their roles the managed policy ${beaconWriterPolicyName(name)} (docs/beacons.md).`;
  if (tables.every(({ sources }) => sources === 0)) return [ill(CHECK, 'no producer reports', fix)];
  // One that reads has seen a source: that another does not yet is no silence.
  const [most] = tables.toSorted((a, b) => a.silentCells - b.silentCells);
  const silent = Object.entries(most?.cells ?? {}).flatMap(([cell, sources]) =>
    sources === 0 && cell !== drill?.cell ? [cell] : [],
  );
  return silent.length === 0 ? [] : [ill(CHECK, `${named(silent)}: no producer reports`, fix)];
}

function floodFindings({ name }: Config, tables: readonly BeaconTable[]): readonly Finding[] {
  const sources = [...new Set(tables.flatMap(({ flooding }) => flooding ?? []))];
  if (sources.length === 0) return [];
  return [
    ill(
      CHECK,
      `${named(sources)}: far more items than processes; most are skipped`,
      `Take the managed policy ${beaconWriterPolicyName(name)} away from that role, and see what runs under it.`,
    ),
  ];
}

function ignoredFindings(tables: readonly BeaconTable[]): readonly Finding[] {
  const [most] = tables.map(({ ignored }) => Object.entries(ignored)).toSorted((a, b) => b.length - a.length);
  if (most === undefined || most.length === 0) return [];
  const reasons = most.map(([reason, items]) => `${items} ${reason}`).join(', ');
  return [
    hint(
      CHECK,
      `items that are not believed: ${reasons}`,
      'See docs/beacons.md, "Whom the observers believe".',
    ),
  ];
}

function countsInWords(tables: readonly BeaconTable[]): string {
  const [most] = tables.toSorted((a, b) => (b.sources ?? 0) - (a.sources ?? 0));
  const cells = Object.entries(most?.cells ?? {}).map(([cell, sources]) => `${cell} ${sources}`);
  return `${cells.length === 0 ? '' : `${named(cells)}; `}${most?.sources ?? 0} together`;
}
