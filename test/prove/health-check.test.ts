import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assumptions } from '../../lib/assumptions/assumptions.ts';
import { judges } from '../../lib/prove/health-check/judges.ts';
import { callerReference, madeAtMs } from '../../lib/prove/health-check/names.ts';
import type { HealthCheckSeen } from '../../lib/prove/health-check/sample.ts';
import {
  type Asks,
  type HealthCheckPlan,
  type HealthCheckPorts,
  RecordsRefusedError,
  watchHealthCheck,
} from '../../lib/prove/health-check/watch.ts';
import { HealthBoard } from '../../lib/route53/health-board.ts';
import { checkerRegions, type EndpointCheck } from '../../lib/route53/health-check.ts';
import { judgeResponse } from '../../lib/route53/response.ts';
import { endpointCheck } from '../route53/design-tree.ts';

const START_MS = 1_790_000_000_000;
const STEP_MS = 250;
const own = { host: 'switch.example.net', path: '/cells/drill' };
const plan: HealthCheckPlan = {
  ttlSeconds: 5,
  asks: {
    new: { ...own, text: 'switch=STANDBY' },
    'text-shown': { ...own, text: 'switch=PRIMARY' },
    'text-gone': { ...own, text: 'switch=STANDBY' },
    'other-host': { host: 'vote.example.net', path: '/vote', text: 'vote=EVACUATE' },
    'error-status': { ...own, path: '/nowhere', text: 'not found' },
  },
};
const bodies: Readonly<Record<string, string>> = {
  'switch.example.net/cells/drill': 'switch=PRIMARY',
  'vote.example.net/vote': 'vote=HOLD',
};

type PortName = 'createCheck' | 'createRecords' | 'changeCheck';

/**
 * Route 53 in virtual time, by the project's model of it: its checkers ask every 10 s, each at a time of its own, and
 * DNS follows two seconds later. What a test makes it do otherwise is what the experiment is to notice.
 */
class FakeRoute53 {
  nowMs = START_MS;
  readonly calls: string[] = [];
  /** Records and check that are there. */
  exists = { check: false, records: false };
  breaks: (port: PortName, n: number) => Error | undefined = () => undefined;
  propagationMs = 2_000;
  /** After a change of the host, the check begins anew. */
  forgetsOnHostChange = false;
  /** Statuses of 400 and more are no failure. */
  ignoresStatus = false;
  #board = new HealthBoard([], 2);
  #check: EndpointCheck | undefined;
  #asked = new Map<string, { readonly atMs: number; readonly status: string }>();
  /** Changes of the aggregated status, oldest first. */
  #statuses: { readonly atMs: number; readonly healthy: boolean }[] = [];
  readonly #counts = new Map<PortName, number>();

  ports(): HealthCheckPorts {
    return {
      nowMs: () => this.nowMs,
      sleep: async (ms) => this.#pass(ms),
      say: () => {},
      rehearsing: false,
      createCheck: async (asks) => {
        this.#called('createCheck');
        this.exists.check = true;
        this.#set(asks);
        this.#statuses = [{ atMs: this.nowMs, healthy: false }];
        return 'check-1';
      },
      createRecords: async () => {
        this.#called('createRecords');
        this.exists.records = true;
      },
      changeCheck: async (_id, asks) => {
        this.#called('changeCheck');
        const isOther = asks.host !== this.#check?.fqdn;
        this.#set(asks);
        if (isOther && this.forgetsOnHostChange) {
          this.#asked = new Map();
          this.#statuses.push({ atMs: this.nowMs, healthy: false });
        }
      },
      reports: async () =>
        this.#checkers().map((checker) => ({
          checker,
          region: checker.split('/')[0] ?? '',
          status: this.#asked.get(checker)?.status,
          checkedAtMs: this.#asked.get(checker)?.atMs,
        })),
      askZone: async () => {
        if (!this.exists.records) return { primary: 0, standby: 0, none: 4 };
        const settled = this.#statuses.findLast(({ atMs }) => atMs + this.propagationMs <= this.nowMs);
        const isHealthy = settled?.healthy ?? false;
        return { primary: isHealthy ? 4 : 0, standby: isHealthy ? 0 : 4, none: 0, ttlSeconds: 5 };
      },
      remove: async () => {
        this.calls.push('remove');
        this.exists = { check: false, records: false };
      },
    };
  }

  #called(port: PortName): void {
    this.calls.push(port);
    const n = (this.#counts.get(port) ?? 0) + 1;
    this.#counts.set(port, n);
    const broken = this.breaks(port, n);
    if (broken !== undefined) throw broken;
  }

  #set({ host, path, text }: Asks): void {
    const changes = { fqdn: host, resourcePath: path, searchString: text } as Partial<EndpointCheck>;
    this.#check = endpointCheck('check-1', changes);
    this.#board.replace([this.#check]);
  }

  #checkers(): readonly string[] {
    return checkerRegions.flatMap((region) => [`${region}/0`, `${region}/1`]);
  }

  #pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      this.nowMs += STEP_MS;
      for (const [n, checker] of this.#checkers().entries()) {
        const offsetMs = (n * 650) % 10_000;
        const isDue = (this.nowMs - START_MS - 8_000 - offsetMs) % 10_000 < STEP_MS;
        if (this.nowMs - START_MS > 8_000 && isDue) this.#ask(checker);
      }
    }
  }

  #ask(checker: string): void {
    const check = this.#check;
    if (check === undefined || !('searchString' in check)) return;
    const body = bodies[`${check.fqdn}${check.resourcePath}`];
    const status = body === undefined && !this.ignoresStatus ? 404 : 200;
    const answer = { connectMs: 9, statusMs: 40, bodyMs: 1, body: Buffer.from(body ?? 'not found') };
    const verdict = judgeResponse(check, { reached: 'body', status, ...answer });
    const text = verdict.passed ? 'Success: HTTP Status Code 200, OK' : `Failure: HTTP Status Code ${status}`;
    this.#asked.set(checker, { atMs: this.nowMs, status: text });
    this.#board.report(check.id, checker, verdict.passed);
    // Until all but 18 % have asked, the inverted check is unhealthy.
    const hasData = this.#asked.size >= 0.82 * this.#checkers().length;
    const healthy = hasData && this.#board.isHealthy(check.id);
    if (this.#statuses.at(-1)?.healthy !== healthy) this.#statuses.push({ atMs: this.nowMs, healthy });
  }
}

const ids = assumptions.flatMap(({ id, proof }) =>
  'experiment' in proof && proof.experiment === 'health-check' ? [id] : [],
) as readonly (keyof typeof judges)[];

const verdictsOf = (seen: HealthCheckSeen): Readonly<Record<string, string>> =>
  Object.fromEntries(ids.map((id) => [id, judges[id](seen).verdict]));
const everyIs = (verdict: string): Readonly<Record<string, string>> =>
  Object.fromEntries(ids.map((id) => [id, verdict]));

describe('against the model of Route 53', () => {
  test('every statement is confirmed, within minutes, and nothing is left', async () => {
    const route53 = new FakeRoute53();
    const seen = await watchHealthCheck(plan, route53.ports());
    expect(verdictsOf(seen)).toEqual(everyIs('confirmed'));
    expect(route53.nowMs - START_MS).toBeLessThan(5 * 60_000);
    expect(route53.exists).toEqual({ check: false, records: false });
    expect(route53.calls).toEqual([
      ...['createCheck', 'createRecords', 'changeCheck', 'changeCheck', 'changeCheck', 'changeCheck'],
      'remove',
    ]);
    expect(judges.propagation(seen)).toMatchObject({ figures: { flips: 2 } });
  });

  test.each<[string, Partial<FakeRoute53>, readonly string[]]>([
    ['DNS that follows after 12 s', { propagationMs: 12_000 }, ['propagation']],
    ['a check that begins anew with another host', { forgetsOnHostChange: true }, ['host-change-keeps-data']],
    ['checkers that look past the status', { ignoresStatus: true }, ['error-is-failure']],
  ])('%s is noticed', async (_what, change, refuted) => {
    const route53 = Object.assign(new FakeRoute53(), change);
    const verdicts = verdictsOf(await watchHealthCheck(plan, route53.ports()));
    for (const id of refuted) expect(verdicts[id], id).toBe('refuted');
    expect(Object.entries(verdicts).filter(([, verdict]) => verdict === 'refuted').length).toBeLessThan(4);
  });

  test('records that AWS does not take are an answer, and the check is deleted', async () => {
    const route53 = new FakeRoute53();
    const refusal = new RecordsRefusedError('InvalidChangeBatch: TXT cannot fail over');
    route53.breaks = (port) => (port === 'createRecords' ? refusal : undefined);
    const verdicts = verdictsOf(await watchHealthCheck(plan, route53.ports()));
    expect(verdicts).toEqual({ ...everyIs('not-run'), 'txt-failover': 'refuted' });
    expect(route53.exists).toEqual({ check: false, records: false });
  });

  test('whichever call fails, what was created is deleted, once', async () => {
    const port = fc.constantFrom<PortName>('createCheck', 'createRecords', 'changeCheck');
    await fc.assert(
      fc.asyncProperty(port, fc.integer({ min: 1, max: 4 }), async (broken, at) => {
        const route53 = new FakeRoute53();
        route53.breaks = (name, n) => (name === broken && n === at ? new Error('gone') : undefined);
        const reaches = broken === 'changeCheck' || at === 1;
        const end = await watchHealthCheck(plan, route53.ports()).catch((error: Error) => error.message);
        expect(end === 'gone').toBe(reaches);
        expect(route53.exists).toEqual({ check: false, records: false });
        expect(route53.calls.filter((call) => call === 'remove')).toHaveLength(1);
      }),
      { numRuns: 12 },
    );
  });

  test('an interruption in the middle deletes as well', async () => {
    const route53 = new FakeRoute53();
    const ports = route53.ports();
    const sleep = async (ms: number): Promise<void> => {
      await ports.sleep(ms);
      if (route53.nowMs - START_MS > 40_000) throw new Error('interrupted');
    };
    await expect(watchHealthCheck(plan, { ...ports, sleep })).rejects.toThrow('interrupted');
    expect(route53.exists).toEqual({ check: false, records: false });
  });
});

test('the reference of a check says when it was made, and whose it is', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.integer({ min: 1_600_000_000_000, max: 2_000_000_000_000 }), (id, atMs) => {
      const longestName = 'a'.repeat(20);
      const reference = callerReference(longestName, { id, atMs });
      expect(reference.length).toBeLessThanOrEqual(64);
      expect(madeAtMs(longestName, reference)).toBe(atMs);
      expect(madeAtMs('a', reference)).toBeUndefined();
      expect(madeAtMs(longestName, `x${reference}`)).toBeUndefined();
    }),
  );
  const ofAnother = callerReference('chop', { id: '0a1b2c3d', atMs: START_MS });
  expect(madeAtMs('shop', ofAnother)).toBeUndefined();
  expect(madeAtMs('shop', 'shop-prove-now')).toBeUndefined();
  expect(madeAtMs('shop', undefined)).toBeUndefined();
});
