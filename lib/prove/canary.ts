import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  PutRecordCommand,
} from '@aws-sdk/client-kinesis';
import { canaryStreamName } from '../../lambda/core/names.ts';
import { READ_BACK } from '../../lambda/core/probe.ts';
import type { Check } from './check.ts';
import { type ProveContext, pause, times, within } from './context.ts';
import { judged, spread, undecided } from './judgement.ts';

export interface CanarySeen {
  readonly regions: readonly {
    readonly region: string;
    /** For each record: the look that found it, from 1, or 0. */
    readonly foundBy: readonly number[];
    readonly putMs: readonly number[];
  }[];
}

const RECORDS = 20;
const TIMEOUT_MS = 3_000;
/** A shard answers five reads a second, which the observers share. */
const PAUSE_MS = 500;
/** The least share of records that "as a rule" means. */
const AS_A_RULE = 0.95;

export const canary: Check<'canary', CanarySeen> = {
  observe: async (context) => {
    const { primary, standby } = context.config.regions;
    return {
      regions: await Promise.all([primary, standby].map((region) => readBacks(context, region))),
    };
  },
  judges: {
    'canary-read-after-write': ({ regions }) => {
      const looked = regions.filter(({ foundBy }) => foundBy.length > 0);
      if (looked.length < regions.length) return undecided('no record could be put');
      const shares = looked.map(({ foundBy }) => foundBy.filter((look) => look > 0).length / foundBy.length);
      const all = looked.flatMap(({ foundBy }) => foundBy);
      const figures = {
        records: all.length,
        foundByFirstLook: all.filter((look) => look === 1).length,
        foundBySecondLook: all.filter((look) => look === 2).length,
        notFound: all.filter((look) => look === 0).length,
        ...spread(
          'PutMs',
          looked.flatMap(({ putMs }) => putMs),
        ),
      };
      return judged(
        shares.every((share) => share >= AS_A_RULE),
        figures,
      );
    },
  },
};

async function readBacks(context: ProveContext, region: string): Promise<CanarySeen['regions'][number]> {
  const kinesis = context.clients.kinesis(region);
  const stream = canaryStreamName(context.config.name);
  const [foundBy, putMs]: [number[], number[]] = [[], []];
  for (let n = 0; n < times(context, RECORDS); n++) {
    const startedMs = performance.now();
    const put = await kinesis.send(
      new PutRecordCommand({
        StreamName: stream,
        PartitionKey: `prove-${context.id}-${n}`,
        Data: new TextEncoder().encode(JSON.stringify({ prove: context.id, n })),
      }),
      within(TIMEOUT_MS),
    );
    putMs.push(performance.now() - startedMs);
    foundBy.push(await lookFor(context, { kinesis, stream, put }));
    await pause(context, PAUSE_MS);
  }
  return { region, foundBy, putMs };
}

interface Put {
  readonly kinesis: KinesisClient;
  readonly stream: string;
  readonly put: { readonly ShardId?: string | undefined; readonly SequenceNumber?: string | undefined };
}

/** As an observer reads its record back. */
async function lookFor(context: ProveContext, { kinesis, stream, put }: Put): Promise<number> {
  const { ShardIterator } = await kinesis.send(
    new GetShardIteratorCommand({
      StreamName: stream,
      ShardId: put.ShardId ?? '<shard of the put>',
      ShardIteratorType: 'AT_SEQUENCE_NUMBER',
      StartingSequenceNumber: put.SequenceNumber ?? '<number of the put>',
    }),
    within(TIMEOUT_MS),
  );
  let iterator = ShardIterator;
  for (let look = 1; look <= READ_BACK.attempts; look++) {
    if (look > 1) await pause(context, READ_BACK.pauseMs);
    const page = await kinesis.send(
      new GetRecordsCommand({ ShardIterator: iterator ?? '<iterator>', Limit: 10 }),
      within(TIMEOUT_MS),
    );
    if (page.Records?.some(({ SequenceNumber }) => SequenceNumber === put.SequenceNumber)) return look;
    iterator = page.NextShardIterator;
  }
  return 0;
}
