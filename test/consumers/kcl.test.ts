import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Asker } from '../../lib/consumers/asker.ts';
import { readKcl } from '../../lib/consumers/kcl.ts';
import { type FakeAws, startFakeAws } from '../operate/fixtures/fake-aws.ts';

const REGION = 'us-west-2';

let aws: FakeAws;
let dynamo: DynamoDBClient;
beforeEach(async () => {
  aws = await startFakeAws();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  dynamo = new DynamoDBClient({ region: REGION, endpoint: aws.url, credentials });
});
afterEach(async () => {
  dynamo.destroy();
  await aws.close();
});

/** Waits no time, and counts how long it would have been. */
class Patient extends Asker {
  waitedMs = 0;
  constructor() {
    super({ region: REGION, timeoutMs: 2_000, signal: AbortSignal.timeout(20_000) });
  }
  override wait(ms: number): Promise<boolean> {
    this.waitedMs += ms;
    return Promise.resolve(true);
  }
}

interface FakeLease {
  readonly owner?: string;
  /** How often a worker renews it; absent: it is not renewed. */
  readonly everyMs?: number;
  readonly checkpoint?: string;
}

/** A lease table whose workers count by the asker's clock. */
function holds(asker: Patient, leases: readonly FakeLease[]): void {
  aws.json = ({ operation }) => {
    if (operation === 'DescribeTable') {
      return {
        Table: {
          KeySchema: [{ AttributeName: 'leaseKey', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'leaseKey', AttributeType: 'S' }],
          TableStatus: 'ACTIVE',
        },
      };
    }
    if (operation !== 'Scan') return undefined;
    const Items = leases.map(({ owner, everyMs = Number.POSITIVE_INFINITY, checkpoint = '1' }, n) => ({
      leaseKey: { S: `shardId-00000000000${n}` },
      checkpoint: { S: checkpoint },
      leaseCounter: { N: String(1 + Math.floor(asker.waitedMs / everyMs)) },
      ...(owner !== undefined && { leaseOwner: { S: owner } }),
    }));
    return { Items };
  };
}

async function lookAt(leases: readonly FakeLease[], looksMs?: readonly number[]) {
  const asker = new Patient();
  holds(asker, leases);
  const question = { dynamo, table: 'orders-app', name: 'orders', nowMs: Date.now };
  const facts = await readKcl(asker, { ...question, ...(looksMs !== undefined && { looksMs }) });
  return { leases: facts.leases, waitedMs: asker.waitedMs };
}

describe('whether workers renew their leases', () => {
  it('is seen with a failoverTimeMillis of 60 s, and of 10 s without more waiting', async () => {
    const slow = await lookAt([{ owner: 'a', everyMs: 30_000 }]);
    expect(slow.leases).toMatchObject({ open: 1, owned: 1, renewed: 1 });
    const quick = await lookAt([{ owner: 'a', everyMs: 3_300 }]);
    expect(quick.leases).toMatchObject({ renewed: 1 });
    expect(quick.waitedMs).toBeLessThan(5_000);
  });

  it('is known of each lease, within half a minute or so', async () => {
    const { leases, waitedMs } = await lookAt([{ owner: 'a', everyMs: 3_300 }, { owner: 'b' }, {}]);
    expect(leases).toMatchObject({ open: 3, owned: 2, renewed: 1 });
    expect(waitedMs).toBeLessThan(35_000);
  });

  it('takes no watching where no lease has an owner', async () => {
    const { leases, waitedMs } = await lookAt([{}, {}]);
    expect(leases).toMatchObject({ open: 2, owned: 0, renewed: 0 });
    expect(waitedMs).toBeLessThan(1_000);
  });

  it('is not said by short looks without the stream', async () => {
    const { leases } = await lookAt([{ owner: 'a', everyMs: 30_000 }], [4_000, 8_000]);
    expect(leases).toMatchObject({ owned: 1, renewed: 0 });
    expect(leases?.watchedLong).toBeUndefined();
  });

  it('counts leases that begin at LATEST only where they are held', async () => {
    const { leases } = await lookAt([
      { owner: 'a', everyMs: 3_300, checkpoint: 'LATEST' },
      { owner: 'b', checkpoint: 'LATEST' },
    ]);
    expect(leases).toMatchObject({ renewed: 1, atLatest: 1 });
  });
});
