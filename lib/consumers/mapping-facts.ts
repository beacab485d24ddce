import type { EventSourceMappingConfiguration } from '@aws-sdk/client-lambda';
import type { MappingFacts, MappingSettings, StartPosition } from '../../lambda/core/consumer-facts.ts';

const states: Readonly<Record<string, MappingFacts['state']>> = {
  Enabled: 'enabled',
  Disabled: 'disabled',
  Disabling: 'disabled',
  Deleting: 'deleting',
};
const positions: readonly StartPosition[] = ['LATEST', 'TRIM_HORIZON', 'AT_TIMESTAMP'];
/** What Lambda says of a mapping that has given no batch to its function. */
const NOTHING_READ = 'No records processed';

/** A mapping as Lambda tells of it; undefined for one whose source is no stream of Kinesis. */
export function mappingFacts(mapping: EventSourceMappingConfiguration): MappingFacts | undefined {
  const { UUID: uuid, EventSourceArn: source, FunctionArn, State: stateName } = mapping;
  if (uuid === undefined || stateName === undefined || FunctionArn === undefined) return undefined;
  if (source === undefined || source.split(':')[2] !== 'kinesis') return undefined;
  const start = positions.find((position) => position === mapping.StartingPosition);
  const { LastProcessingResult: last } = mapping;
  const startAtMs = mapping.StartingPositionTimestamp?.getTime();
  return {
    ...{ uuid, source, function: FunctionArn, stateName },
    // Creating, Enabling, Updating, and what Lambda may add.
    state: states[stateName] ?? 'changing',
    ...(start !== undefined && { start }),
    ...(startAtMs !== undefined && { startAtMs }),
    hasRead: last !== undefined && last !== NOTHING_READ,
    ...(last?.startsWith('PROBLEM') && { problem: last }),
    settings: settingsOf(mapping),
  };
}

function settingsOf(mapping: EventSourceMappingConfiguration): MappingSettings {
  const all: { readonly [Key in keyof MappingSettings]: MappingSettings[Key] | undefined } = {
    batchSize: mapping.BatchSize,
    batchingWindowSeconds: mapping.MaximumBatchingWindowInSeconds,
    parallelizationFactor: mapping.ParallelizationFactor,
    tumblingWindowSeconds: mapping.TumblingWindowInSeconds,
    retries: mapping.MaximumRetryAttempts,
    maximumAgeSeconds: mapping.MaximumRecordAgeInSeconds,
    bisects: mapping.BisectBatchOnFunctionError,
    reportsItemFailures: (mapping.FunctionResponseTypes ?? []).includes('ReportBatchItemFailures'),
    hasFailureDestination: Boolean(mapping.DestinationConfig?.OnFailure?.Destination),
    // Lambda lists a filter that is encrypted with the owner's key as none.
    filters:
      mapping.KMSKeyArn === undefined
        ? (mapping.FilterCriteria?.Filters ?? []).flatMap(({ Pattern }) => Pattern ?? [])
        : undefined,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** Whether a mapping is of the function that the config names: `name`, `name:alias`, or an ARN of either. */
export function isOfFunction({ function: arn }: MappingFacts, declared: string): boolean {
  const [of, wanted] = [functionParts(arn), functionParts(declared)];
  if (of.name !== wanted.name) return false;
  if (wanted.account !== undefined && wanted.account !== of.account) return false;
  return wanted.qualifier === undefined || wanted.qualifier === of.qualifier;
}

export interface FunctionParts {
  readonly account?: string;
  readonly name: string;
  readonly qualifier?: string;
}

export function functionParts(text: string): FunctionParts {
  const [before, after] = text.split(':function:');
  const [name = '', qualifier] = (after ?? before ?? '').split(':');
  const account = after === undefined ? undefined : before?.split(':')[4];
  return {
    ...(account !== undefined && { account }),
    name,
    ...(qualifier !== undefined && { qualifier }),
  };
}
