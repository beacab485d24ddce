import { PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { canaryStreamName } from '../../lambda/core/names.ts';
import { localCredentials } from '../operate/target.ts';
import { type SingleAnswer, singleRequest } from '../producer/wire/single-request.ts';
import type { Check } from './check.ts';
import type { ProveContext } from './context.ts';
import { confirmed, refuted, undecided } from './judgement.ts';

export interface CborSeen {
  readonly regions: readonly (SingleAnswer & { readonly region: string })[];
}

const TIMEOUT_MS = 5_000;

export const cbor: Check<'cbor', CborSeen> = {
  observe: async (context) => {
    const { primary, standby } = context.config.regions;
    const regions = await Promise.all(
      [primary, standby].map(async (region) => ({ region, ...(await putInCbor(context, region)) })),
    );
    return { regions };
  },
  judges: {
    'kinesis-cbor': ({ regions }) => {
      const refusals = regions.filter((one) => one.answer === 'refused');
      if (refusals.length > 0)
        return refuted({}, refusals.map(({ region, problem }) => `${region}: ${problem}`).join('; '));
      const failed = regions.find((one) => one.answer === 'failed');
      if (failed !== undefined) return undecided(`${failed.region}: ${failed.problem}`);
      const answersInCbor = regions.filter((one) => one.answer === 'written' && one.inCbor).length;
      return confirmed({ requests: regions.length, answersInCbor });
    },
  },
};

async function putInCbor(context: ProveContext, region: string): Promise<SingleAnswer> {
  const { clients, config, id, world, rehearsing } = context;
  const stream = canaryStreamName(config.name);
  const partitionKey = `prove-${id}-cbor`;
  const data = new TextEncoder().encode(JSON.stringify({ prove: id, cbor: true }));
  if (rehearsing) {
    // The request itself is none of the SDK's; it is the same call.
    const Records = [{ PartitionKey: partitionKey, Data: data }];
    await clients.kinesis(region).send(new PutRecordsCommand({ StreamName: stream, Records }));
    return { answer: 'failed', problem: 'not sent' };
  }
  const endpoint = world?.localStackUrl ?? process.env.AWS_ENDPOINT_URL;
  return singleRequest({
    encoding: 'cbor',
    batch: { region, stream, records: [{ partitionKey, data }] },
    timeoutMs: TIMEOUT_MS,
    ...(endpoint === undefined ? {} : { endpoint: () => endpoint }),
    ...(world === undefined ? {} : { credentials: localCredentials }),
  });
}
