import { filterOption, REPORT_FAILURES, updateMapping } from './consumer-commands.ts';
import type { ConsumerOfCell, MappingFacts, MappingSettings } from './consumer-facts.ts';
import type { ConsumerFindingCode } from './consumer-findings.ts';
import { workingMapping } from './consumer-mapping-rules.ts';
import type { Role } from './role.ts';

const labels: Readonly<Record<keyof MappingSettings, string>> = {
  batchSize: 'batch size',
  batchingWindowSeconds: 'batching window',
  parallelizationFactor: 'parallelization factor',
  tumblingWindowSeconds: 'tumbling window',
  retries: 'retries',
  maximumAgeSeconds: 'maximum age',
  bisects: 'bisection of batches',
  reportsItemFailures: 'report of item failures',
  hasFailureDestination: 'failure destination',
  filters: 'filter',
};

/** Those whose difference loses records. */
const grave: ReadonlySet<keyof MappingSettings> = new Set(['reportsItemFailures', 'filters']);

type Mappings = Readonly<Record<Role, MappingFacts>>;

function mappingsOf({ facts }: Pick<ConsumerOfCell, 'facts'>): Mappings | undefined {
  const [primary, standby] = [facts.primary, facts.standby].map((one) =>
    one?.kind === 'lambda' ? workingMapping(one.mappings) : undefined,
  );
  return primary === undefined || standby === undefined ? undefined : { primary, standby };
}

/** In what a mapping differs between the regions, of what is worth a note; empty where it does not, or that is not known. */
export function differingSettings(consumer: Pick<ConsumerOfCell, 'facts'>): readonly string[] {
  const mappings = mappingsOf(consumer);
  if (mappings === undefined) return [];
  const { primary, standby } = mappings;
  const keys = (Object.keys(labels) as (keyof MappingSettings)[]).filter((key) => !grave.has(key));
  const settings = keys.flatMap((key) => {
    const [ours, theirs] = [primary.settings[key], standby.settings[key]];
    if (ours === undefined && theirs === undefined) return [];
    return textOf(ours) === textOf(theirs) ? [] : [`${labels[key]} ${textOf(ours)} and ${textOf(theirs)}`];
  });
  const starts =
    primary.start === standby.start || primary.start === undefined || standby.start === undefined
      ? []
      : [`starting position ${primary.start} and ${standby.start}`];
  return [...settings, ...starts];
}

export interface GraveDifference {
  readonly code: ConsumerFindingCode;
  /** Where it is to be mended. */
  readonly role: Role;
  readonly text: string;
  readonly fix: string;
}

/** Differences by which records are lost, or left out in one region. */
export function graveDifferences(
  consumer: Pick<ConsumerOfCell, 'facts'>,
  { who, regions }: { readonly who: string; readonly regions: Readonly<Record<Role, string>> },
): readonly GraveDifference[] {
  const mappings = mappingsOf(consumer);
  if (mappings === undefined) return [];
  const { primary, standby } = mappings;
  const all: GraveDifference[] = [];
  const [here, there] = [primary.settings, standby.settings];
  if (isKnownToDiffer(here.reportsItemFailures, there.reportsItemFailures)) {
    const role = there.reportsItemFailures === true ? 'primary' : 'standby';
    const text = `the mapping of ${who} in ${regions[role]} takes no report of failed records, and that of the other region does: what the function reports as failed is lost there`;
    const fix = updateMapping(mappings[role], regions[role], REPORT_FAILURES);
    all.push({ code: 'answers-differ', role, text, fix });
  }
  if (isKnownToDiffer(here.filters, there.filters)) {
    const text = `the mappings of ${who} have different filters: ${textOf(here.filters)} in ${regions.primary}, ${textOf(there.filters)} in ${regions.standby}`;
    const fix = updateMapping(standby, regions.standby, filterOption(here.filters ?? []));
    all.push({ code: 'filters-differ', role: 'standby', text, fix });
  }
  return all;
}

type Value = MappingSettings[keyof MappingSettings];
const isKnownToDiffer = (ours: Value, theirs: Value): boolean =>
  ours !== undefined && theirs !== undefined && textOf(ours) !== textOf(theirs);

function textOf(value: Value): string {
  if (value === undefined) return 'none';
  if (value === true) return 'on';
  if (value === false) return 'off';
  return Array.isArray(value) ? JSON.stringify([...value].toSorted()) : String(value);
}
