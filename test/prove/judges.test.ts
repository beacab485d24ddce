import { describe, expect, test } from 'vitest';
import { type AssumptionId, assumptions } from '../../lib/assumptions/assumptions.ts';
import { canary } from '../../lib/prove/canary.ts';
import { cbor } from '../../lib/prove/cbor.ts';
import { deployment } from '../../lib/prove/deployment.ts';
import { endpoints } from '../../lib/prove/endpoints.ts';
import { judges as healthCheck } from '../../lib/prove/health-check/judges.ts';
import type { HealthCheckSeen, PhaseSeen, Sample } from '../../lib/prove/health-check/sample.ts';
import { type Judgement, spread } from '../../lib/prove/judgement.ts';
import { metrics } from '../../lib/prove/metrics.ts';
import { move } from '../../lib/prove/move.ts';
import { resolver } from '../../lib/prove/resolver.ts';
import { startKey } from '../../lib/prove/start-key.ts';
import { type VoteLook, votes } from '../../lib/prove/votes.ts';

/** What is seen when a statement holds, when it does not, and when nothing can be said. */
interface Cases {
  readonly confirms: () => Judgement;
  readonly refutes: () => Judgement;
  readonly undecided: () => Judgement;
}

const casesOf = <Seen>(
  judge: (seen: Seen) => Judgement,
  [confirms, refutes, undecided]: readonly [Seen, Seen, Seen],
): Cases => ({
  confirms: () => judge(confirms),
  refutes: () => judge(refutes),
  undecided: () => judge(undecided),
});

// The deployment

const vote = (askedHost: string | undefined, urlHost = 'a.lambda-url.us-west-2.on.aws') => ({
  region: 'us-west-2',
  askedHost,
  urlHost,
  stored: askedHost !== undefined,
});
const asDeployed = { votes: [vote('a.lambda-url.us-west-2.on.aws')], switchStored: true, refusedQueries: 0 };
const notDeployed = { votes: [vote(undefined)], switchStored: false, refusedQueries: 0 };

// Endpoints

const answer = (statusMs: number, status = 200) => ({
  endpoint: 'vote us-west-2',
  outcome: {
    reached: 'body',
    connectMs: 20,
    statusMs,
    status,
    bodyMs: 1,
    body: Buffer.from('vote=HOLD'),
  } as const,
});
const unreached = { endpoint: 'vote us-west-2', outcome: { reached: 'nothing' } as const };
const asked = (...list: readonly (ReturnType<typeof answer> | typeof unreached)[]) => ({
  alone: list,
  together: list,
});

// Canary

const region = (foundBy: readonly number[]) => ({
  region: 'us-east-1',
  foundBy,
  putMs: foundBy.map(() => 9),
});
const twenty = (late: number) => [...Array(20 - late).fill(1), ...Array(late).fill(0)];

// CBOR

const written = { answer: 'written', inCbor: true } as const;
const doubtful = { answer: 'doubtful', problem: 'SerializationException: what is this' } as const;
const failed = { answer: 'failed', problem: 'ConnectionError: nobody there' } as const;

// Heartbeats

const heartbeat = (ageMs: number | undefined) => ({ observer: 'us-west-2', region: 'us-east-1', ageMs });

// DNS

const looks = (ttlSeconds: number) => ({
  name: 'signal.drill.example.com',
  ttlSeconds: 5,
  resolvers: [{ server: '192.0.2.53', looks: [{ text: 'v=1; region=us-east-1', ttlSeconds }] }],
});

// Votes: a decision every five seconds, each living for thirty.

const START = 1_000_000;
function votesWith(gapMs: number): { readonly looks: readonly VoteLook[] } {
  const decisions = [0, 5_000, 5_000 + gapMs, 10_000 + gapMs];
  return {
    looks: decisions.map((at) => ({
      region: 'us-west-2',
      atMs: at,
      vote: { decidedAtMs: START + at, expiresAtMs: START + at + 30_000 },
    })),
  };
}

// The move

const moved = (flipMs: number | null, latchedMs: number | null = 1_000) => ({
  limitMs: 50_000,
  result: {
    ok: true,
    cell: 'drill',
    rtoMs: null,
    flipMs,
    latchedMs,
    failback: { ok: true, ms: 31_000 },
    records: { acknowledged: 1, delivered: 1, lost: 0 },
    failures: [],
  },
});

// The health check, as it goes when every statement holds

const CREATED = 1_790_000_000_000;
const checkerNames = [
  ...[
    'us-east-1',
    'us-west-1',
    'us-west-2',
    'eu-west-1',
    'ap-southeast-1',
    'ap-southeast-2',
    'ap-northeast-1',
    'sa-east-1',
  ],
].flatMap((name) => [`${name} 192.0.2.1`, `${name} 192.0.2.2`]);

interface Look {
  readonly second: number;
  readonly dns?: 'primary' | 'standby' | 'none' | 'silent';
  /** Checkers that have a status, and those of them that see the text. */
  readonly reported?: number;
  readonly seeing?: number;
  readonly text?: string;
  readonly checkedAtMs?: number;
  readonly ttlSeconds?: number;
}

function sample(fromMs: number, look: Look): Sample {
  const { second, dns = 'primary', reported = 16, seeing = 0, text, ttlSeconds = 5 } = look;
  const atMs = fromMs + second * 1_000;
  const zone = { primary: 0, standby: 0, none: 0, ...(dns === 'silent' ? {} : { [dns]: 4 }) };
  const reports = checkerNames.map((checker, n) => ({
    checker,
    region: checker.split(' ')[0] ?? '',
    status:
      n >= reported
        ? undefined
        : n < seeing
          ? 'Success: HTTP Status Code 200, OK'
          : (text ?? 'Failure: the text was not found'),
    checkedAtMs: n >= reported ? undefined : (look.checkedAtMs ?? atMs),
  }));
  return { atMs, ...zone, ...(dns === 'primary' || dns === 'standby' ? { ttlSeconds } : {}), reports };
}
const phase = (from: number, list: readonly Look[]): PhaseSeen => ({
  beganAtMs: CREATED + from * 1_000,
  samples: list.map((look) => sample(CREATED + from * 1_000, look)),
});

const fresh: readonly Look[] = [
  { second: 5, dns: 'none', reported: 0 },
  { second: 10, dns: 'standby', reported: 0 },
  { second: 20, dns: 'standby', reported: 8 },
  { second: 28, reported: 16 },
];
const shown: readonly Look[] = [
  { second: 3, seeing: 0 },
  { second: 6, seeing: 4 },
  { second: 8, seeing: 6, dns: 'standby' },
  { second: 12, seeing: 16, dns: 'standby' },
];
const gone: readonly Look[] = [
  { second: 3, seeing: 16, dns: 'standby' },
  { second: 9, seeing: 2, dns: 'standby' },
  { second: 10, seeing: 1 },
];
const quiet: readonly Look[] = [{ second: 10 }, { second: 50 }];
const notFound: readonly Look[] = [{ second: 30, text: 'Failure: HTTP Status Code 404, Not Found' }];

type Change = Partial<
  Record<'new' | 'text-shown' | 'text-gone' | 'other-host' | 'error-status', readonly Look[]>
>;
const check = (change: Change = {}, more: Partial<HealthCheckSeen> = {}): HealthCheckSeen => ({
  ttlSeconds: 5,
  phases: {
    new: phase(0, change.new ?? fresh),
    'text-shown': phase(100, change['text-shown'] ?? shown),
    'text-gone': phase(200, change['text-gone'] ?? gone),
    'other-host': phase(300, change['other-host'] ?? quiet),
    'error-status': phase(400, change['error-status'] ?? notFound),
  },
  ...more,
});
const nothing: HealthCheckSeen = { ttlSeconds: 5, phases: {} };
const never: readonly Look[] = [{ second: 60, dns: 'standby', reported: 16 }];
const stuck: readonly Look[] = [
  { second: 5, seeing: 16 },
  { second: 60, seeing: 16 },
];

const cases: Readonly<Partial<Record<AssumptionId, Cases>>> = {
  'stack-output-across-regions': casesOf(deployment.judges['stack-output-across-regions'], [
    { ...asDeployed, votes: [vote('a.lambda-url.us-west-2.on.aws:4566')] },
    { ...asDeployed, votes: [vote('b.lambda-url.us-west-2.on.aws')] },
    notDeployed,
  ]),
  'guard-is-asked': casesOf(deployment.judges['guard-is-asked'], [
    asDeployed,
    { ...asDeployed, switchStored: false },
    notDeployed,
  ]),
  'leading-keys-query': casesOf(deployment.judges['leading-keys-query'], [
    asDeployed,
    { ...asDeployed, refusedQueries: 1 },
    notDeployed,
  ]),
  'function-url-in-time': casesOf(endpoints.judges['function-url-in-time'], [
    asked(answer(40), answer(1_900, 403)),
    asked(answer(40), answer(2_100)),
    asked(unreached),
  ]),
  'cold-start-in-time': casesOf(endpoints.judges['cold-start-in-time'], [
    asked(answer(900)),
    asked(answer(2_500)),
    asked(unreached),
  ]),
  'function-url-public': casesOf(endpoints.judges['function-url-public'], [
    asked(answer(40)),
    asked(answer(40), answer(40, 403)),
    asked(answer(40), answer(40, 502)),
  ]),
  'canary-read-after-write': casesOf(canary.judges['canary-read-after-write'], [
    { regions: [region(twenty(1)), region([...twenty(0).slice(1), 2])] },
    { regions: [region(twenty(0)), region(twenty(2))] },
    { regions: [region(twenty(0)), region([])] },
  ]),
  'kinesis-cbor': casesOf(cbor.judges['kinesis-cbor'], [
    { regions: [{ region: 'us-east-1', cbor: written }] },
    { regions: [{ region: 'us-east-1', cbor: doubtful, json: { answer: 'written', inCbor: false } }] },
    { regions: [{ region: 'us-east-1', cbor: doubtful, json: failed }] },
  ]),
  'scan-from-absent-key': casesOf(startKey.judges['scan-from-absent-key'], [
    { table: 't' },
    { table: 't', failure: { name: 'ValidationException', problem: 'The provided starting key is invalid' } },
    { table: 't', failure: { name: 'AccessDeniedException', problem: 'not you' } },
  ]),
  'metrics-within-minutes': casesOf(metrics.judges['metrics-within-minutes'], [
    { heartbeats: [heartbeat(200_000)] },
    { heartbeats: [heartbeat(200_000), heartbeat(undefined)] },
    { heartbeats: [heartbeat(undefined)] },
  ]),
  'resolver-ttl': casesOf(resolver.judges['resolver-ttl'], [
    looks(5),
    looks(60),
    { ...looks(5), resolvers: [{ server: '192.0.2.53', looks: ['no answer'] }] },
  ]),
  'observers-seamless': casesOf(votes.judges['observers-seamless'], [
    votesWith(20_000),
    votesWith(31_000),
    { looks: votesWith(5_000).looks.map((look) => ({ ...look, vote: undefined })) },
  ]),
  'switch-delivery': casesOf(move.judges['switch-delivery'], [
    moved(30_000),
    moved(60_000),
    moved(null, null),
  ]),
  'check-starts-unhealthy': casesOf(healthCheck['check-starts-unhealthy'], [
    check(),
    check({ new: [{ second: 5, reported: 0 }] }),
    check({ new: [{ second: 30 }] }),
  ]),
  'check-data-in-time': casesOf(healthCheck['check-data-in-time'], [
    check(),
    check({ new: [...fresh.slice(0, 3), { second: 60 }] }),
    check({ new: [{ second: 60 }] }),
  ]),
  'status-means-data': casesOf(healthCheck['status-means-data'], [
    check(),
    check({ new: [{ second: 28, checkedAtMs: CREATED - 600_000 }] }),
    check({ new: [{ second: 28, reported: 0 }] }),
  ]),
  'status-before-inversion': casesOf(healthCheck['status-before-inversion'], [
    check(),
    check({ new: [{ second: 28, seeing: 16 }] }),
    check({ new: [{ second: 28, reported: 0 }] }),
  ]),
  checkers: casesOf(healthCheck.checkers, [
    check(),
    check({ new: [{ second: 28, reported: 5 }] }),
    check({ new: [{ second: 28, reported: 0 }] }),
  ]),
  'txt-failover': casesOf(healthCheck['txt-failover'], [
    check(),
    check({}, { recordsRefused: 'InvalidChangeBatch: TXT' }),
    check({ new: [{ second: 28, dns: 'silent' }] }),
  ]),
  'alias-ttl': casesOf(healthCheck['alias-ttl'], [
    check(),
    check({ new: [{ second: 28, ttlSeconds: 60 }] }),
    check({ new: [{ second: 28, dns: 'silent' }] }),
  ]),
  'marker-moves-dns': casesOf(healthCheck['marker-moves-dns'], [
    check(),
    check({ 'text-shown': stuck }),
    check({ new: never }),
  ]),
  'alias-and': casesOf(healthCheck['alias-and'], [check(), check({ 'text-shown': stuck }), nothing]),
  'secondary-answers': casesOf(healthCheck['secondary-answers'], [
    check(),
    check({ 'text-shown': [...shown, { second: 14, seeing: 16, dns: 'none' }] }),
    check({ 'text-shown': stuck }),
  ]),
  'sni-function-url': casesOf(healthCheck['sni-function-url'], [
    check(),
    check({ 'text-shown': [{ second: 60, text: 'Failure: SSL' }] }),
    nothing,
  ]),
  'eighteen-percent': casesOf(healthCheck['eighteen-percent'], [
    check(),
    check({ 'text-shown': stuck }),
    check({
      'text-shown': [
        { second: 5, seeing: 0 },
        { second: 8, seeing: 16, dns: 'standby' },
      ],
    }),
  ]),
  propagation: casesOf(healthCheck.propagation, [
    check(),
    check({ 'text-shown': [...shown.slice(0, 2), { second: 20, seeing: 16, dns: 'standby' }] }),
    check({ 'text-shown': [{ second: 5 }], 'text-gone': [{ second: 5, seeing: 16, dns: 'standby' }] }),
  ]),
  'host-change-keeps-data': casesOf(healthCheck['host-change-keeps-data'], [
    check(),
    check({ 'other-host': [...quiet, { second: 51, dns: 'standby' }] }),
    check({ 'other-host': [{ second: 10, dns: 'silent' }] }),
  ]),
  'error-is-failure': casesOf(healthCheck['error-is-failure'], [
    check(),
    check({ 'error-status': [...notFound, { second: 31, dns: 'standby' }] }),
    check({ 'error-status': quiet }),
  ]),
};

const provable = assumptions.filter(({ proof }) => 'experiment' in proof).map(({ id }) => id);

test('every statement with an experiment has its cases here', () => {
  expect(Object.keys(cases).toSorted()).toEqual(provable.toSorted());
});

describe.each(provable)('%s', (id) => {
  test('is confirmed by what is seen when it holds', () => {
    expect(cases[id]?.confirms()).toMatchObject({ verdict: 'confirmed' });
  });
  test('is refuted by what is seen when it does not', () => {
    expect(cases[id]?.refutes()).toMatchObject({ verdict: 'refuted' });
  });
  test('is neither, with a reason, where nothing can be said', () => {
    expect(cases[id]?.undecided()).toMatchObject({ verdict: 'not-run', reason: expect.stringMatching(/\w/) });
  });
});

test('figures have the middle and the largest value', () => {
  expect(spread('Ms', [3, 1, 2.26])).toEqual({ p50Ms: 2.3, maxMs: 3 });
  expect(spread('Ms', [])).toEqual({});
  expect(healthCheck.propagation(check())).toEqual({
    verdict: 'confirmed',
    figures: { flips: 2, p50Seconds: 1, maxSeconds: 2 },
  });
});

test('reports that came long before there was data mean nothing', () => {
  const waiting: readonly Look[] = [
    { second: 5, dns: 'standby' },
    { second: 25, dns: 'standby' },
    { second: 26 },
  ];
  expect(healthCheck['status-means-data'](check({ new: waiting }))).toMatchObject({
    verdict: 'refuted',
    figures: { secondsWithoutData: 21 },
  });
});

test('where no report was ever seen to turn, nothing is said of the time until DNS follows', () => {
  const deaf = [{ second: 3, dns: 'standby' as const }, { second: 14 }];
  const seen = check({ 'text-shown': [{ second: 3 }, { second: 8, dns: 'standby' }], 'text-gone': deaf });
  expect(healthCheck.propagation(seen)).toMatchObject({ verdict: 'not-run' });
});

test('where a report tells the status after the inversion, it is read the other way round', () => {
  const seen = check();
  const inverted = (list: PhaseSeen | undefined): PhaseSeen | undefined =>
    list && {
      ...list,
      samples: list.samples.map((one) => ({
        ...one,
        reports: one.reports?.map((report) => ({
          ...report,
          status:
            report.status === undefined
              ? undefined
              : /^success/i.test(report.status)
                ? 'Failure: seen'
                : 'Success',
        })),
      })),
    };
  const turned = Object.fromEntries(Object.entries(seen.phases).map(([name, one]) => [name, inverted(one)]));
  const other = { ...seen, phases: turned };
  for (const id of ['eighteen-percent', 'propagation'] as const) {
    expect(healthCheck[id](other)).toEqual(healthCheck[id](seen));
  }
  expect(healthCheck['status-before-inversion'](other)).toMatchObject({ verdict: 'refuted' });
});
