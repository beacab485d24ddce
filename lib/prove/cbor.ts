import { PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { canaryStreamName } from '../../lambda/core/names.ts';
import { localCredentials } from '../operate/target.ts';
import type { EncodingName } from '../producer/wire/encodings.ts';
import { type SingleAnswer, singleRequest } from '../producer/wire/single-request.ts';
import type { Check } from './check.ts';
import type { ProveContext } from './context.ts';
import { confirmed, refuted, undecided } from './judgement.ts';

export interface CborSeen {
  readonly regions: readonly {
    readonly region: string;
    readonly cbor: SingleAnswer;
    /** The same in JSON, after an answer that casts doubt on CBOR, as the producer does. */
    readonly json?: SingleAnswer;
  }[];
}

const TIMEOUT_MS = 5_000;

export const cbor: Check<'cbor', CborSeen> = {
  observe: async (context) => {
    const { primary, standby } = context.config.regions;
    const regions = await Promise.all(
      [primary, standby].map(async (region) => {
        const inCbor = await putIn('cbor', context, region);
        if (inCbor.answer !== 'doubtful') return { region, cbor: inCbor };
        return { region, cbor: inCbor, json: await putIn('json', context, region) };
      }),
    );
    return { regions };
  },
  judges: {
    'kinesis-cbor': ({ regions }) => {
      const only = regions.filter(({ json }) => json?.answer === 'written');
      if (only.length > 0) return refuted({ jsonAlone: only.length }, problemsOf(only));
      const failed = regions.filter(({ cbor: one }) => one.answer !== 'written');
      if (failed.length > 0) return undecided(problemsOf(failed));
      const answersInCbor = regions.filter(({ cbor: one }) => one.answer === 'written' && one.inCbor).length;
      return confirmed({ requests: regions.length, answersInCbor });
    },
  },
};

const problemsOf = (regions: CborSeen['regions']): string =>
  regions
    .map(({ region, cbor: one }) => `${region}: ${one.answer === 'written' ? 'written' : one.problem}`)
    .join('; ');

async function putIn(encoding: EncodingName, context: ProveContext, region: string): Promise<SingleAnswer> {
  const { clients, config, id, world, rehearsing } = context;
  const stream = canaryStreamName(config.name);
  const partitionKey = `prove-${id}-${encoding}`;
  const data = new TextEncoder().encode(JSON.stringify({ prove: id, encoding }));
  if (rehearsing) {
    // The request itself is none of the SDK's; it is the same call.
    const Records = [{ PartitionKey: partitionKey, Data: data }];
    await clients.kinesis(region).send(new PutRecordsCommand({ StreamName: stream, Records }));
    return { answer: 'failed', problem: 'not sent' };
  }
  const endpoint = world?.localStackUrl ?? process.env.AWS_ENDPOINT_URL;
  return singleRequest({
    encoding,
    batch: { region, stream, records: [{ partitionKey, data }] },
    timeoutMs: TIMEOUT_MS,
    ...(endpoint === undefined ? {} : { endpoint: () => endpoint }),
    ...(world === undefined ? {} : { credentials: localCredentials }),
  });
}
