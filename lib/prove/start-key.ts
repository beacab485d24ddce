import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { LAST_SORT_KEY } from '../../lambda/core/beacon-memory.ts';
import { beaconTableName, stateTableName } from '../../lambda/core/names.ts';
import { problemOf } from '../operate/reading.ts';
import type { Check } from './check.ts';
import { within } from './context.ts';
import { confirmed, refuted, undecided } from './judgement.ts';

export interface StartKeySeen {
  readonly table: string;
  /** Absent: the Scan was answered. */
  readonly failure?: { readonly name: string; readonly problem: string };
}

const TIMEOUT_MS = 5_000;

export const startKey: Check<'start-key', StartKeySeen> = {
  observe: async ({ clients, config, id }) => {
    // Their keys are of the same kind.
    const table = (config.beacons === undefined ? stateTableName : beaconTableName)(config.name);
    try {
      await clients.documents(config.regions.standby).send(
        new ScanCommand({
          TableName: table,
          Limit: 1,
          ExclusiveStartKey: { pk: `prove-${id}`, sk: LAST_SORT_KEY },
        }),
        within(TIMEOUT_MS),
      );
      return { table };
    } catch (error) {
      const name = error instanceof Error ? error.name : '';
      return { table, failure: { name, problem: problemOf(error) } };
    }
  },
  judges: {
    'scan-from-absent-key': ({ table, failure }) => {
      if (failure === undefined) return confirmed();
      return failure.name === 'ValidationException'
        ? refuted({}, failure.problem)
        : undecided(`${table}: ${failure.problem}`);
    },
  },
};
