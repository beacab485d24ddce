import type { ConsumerOfCell, MappingSettings } from './consumer-facts.ts';
import { workingMapping } from './consumer-rules.ts';

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

/** In what a mapping differs between the regions; empty where it does not, or that is not known. */
export function differingSettings({ facts }: Pick<ConsumerOfCell, 'facts'>): readonly string[] {
  const [primary, standby] = [facts.primary, facts.standby].map((one) =>
    one?.kind === 'lambda' ? workingMapping(one.mappings) : undefined,
  );
  if (primary === undefined || standby === undefined) return [];
  const keys = Object.keys(labels) as (keyof MappingSettings)[];
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

function textOf(value: MappingSettings[keyof MappingSettings]): string {
  if (value === undefined) return 'none';
  if (value === true) return 'on';
  if (value === false) return 'off';
  return Array.isArray(value) ? JSON.stringify([...value].toSorted()) : String(value);
}
