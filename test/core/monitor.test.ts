import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CellFinding } from '../../lambda/core/cell-findings.ts';
import { cellTroubles } from '../../lambda/core/cell-voices.ts';
import { initialDecisionState } from '../../lambda/core/decide.ts';
import { type DiagnosisCode, diagnosisCodes } from '../../lambda/core/diagnosis.ts';
import {
  type EndpointFinding,
  type EndpointFindingName,
  endpointFindingNames,
  endpointFindings,
} from '../../lambda/core/endpoint-findings.ts';
import type { Phase } from '../../lambda/core/lifecycle.ts';
import { emptyMemory, serializeMemory } from '../../lambda/core/memory.ts';
import { metricsOf } from '../../lambda/core/metrics.ts';
import {
  lastDrillAtMs,
  type MonitorReadings,
  monitorValues,
  observersInWords,
  standbyIsDown,
} from '../../lambda/core/monitor.ts';
import { addTick, noEvidence, type RegionOutcomes } from '../../lambda/core/observation.ts';
import type { Recurring } from '../../lambda/core/recurring.ts';
import { allUp, policy } from './levels.ts';

const NOW_MS = 1_800_000_000_000;
const groups = 2;

const ok = { ok: true, latencyMs: 10 } as const;
const refused = { ok: false, latencyMs: 10, errorClass: 'server', detail: '' } as const;
const round = (works: boolean): RegionOutcomes => ({
  kinesisWrite: Array(3).fill(works ? ok : refused),
  kinesisRead: [works ? ok : refused],
});

interface Said {
  readonly diagnosis?: string;
  readonly phase?: Phase;
  readonly ageMs?: number;
  readonly standbyWorks?: boolean;
}

/** As an observer stores it, by the core's own arithmetic. */
function item({ diagnosis = 'Healthy', phase = 'steady', ageMs = 2_000, standbyWorks = true }: Said = {}) {
  const decidedAtMs = NOW_MS - ageMs;
  let evidence = noEvidence;
  for (let n = 19; n >= 0; n--) {
    const atMs = decidedAtMs - n * policy.tickMs;
    evidence = addTick(
      evidence,
      { atMs, ticks: 19 - n, primary: round(true), standby: round(standbyWorks), clockStepMs: 0 },
      policy,
    );
  }
  const decision = { ...initialDecisionState, phase };
  const memory = serializeMemory({ ...emptyMemory, evidence, decision, lastRoundAtMs: decidedAtMs });
  const vote = phase === 'evacuating' ? 'EVACUATE' : 'HOLD';
  return { vote, diagnosis, phase, decidedAtMs, expiresAtMs: decidedAtMs + policy.voteTtlMs, memory };
}

const regions = ['us-west-2', 'us-east-2', 'eu-west-1'];
const said = (...items: unknown[]): MonitorReadings['observers'] =>
  regions.map((region, n) => ({ region, item: n < items.length ? items[n] : item() }));

const asked = (finding: EndpointFindingName): EndpointFinding => ({
  kind: 'vote',
  of: 'us-west-2',
  finding,
  detail: '',
});
const readings = (change: Partial<MonitorReadings> = {}): MonitorReadings => ({
  nowMs: NOW_MS,
  observers: said(),
  quorum: 'primary',
  control: {},
  switchesInStandby: 0,
  work: {
    drill: { expectedSinceMs: 1, doneAtMs: NOW_MS - 86_400_000 },
    survey: { expectedSinceMs: 1, doneAtMs: NOW_MS - 3_600_000 },
  },
  endpoints: [asked('agrees'), asked('agrees')],
  ...change,
});
const values = (change: Partial<MonitorReadings> = {}) => monitorValues(readings(change), { policy, groups });

const evacuating = item({ diagnosis: 'KinesisWriteImpaired', phase: 'evacuating' });
const held = item({ diagnosis: 'KinesisWriteImpaired', phase: 'held' });

const finding = (change: Partial<CellFinding>): CellFinding => ({
  cell: 'orders',
  group: 'orders',
  kind: 'suspected',
  sinceMs: NOW_MS,
  reason: '3 of 6 records were not taken lately',
  refusals: [],
  ...change,
});

describe('what the monitor says', () => {
  it('counts a standby that fails in part among the doubts, and a primary with no known standby among the impaired', () => {
    const observers = said(item({ diagnosis: 'StandbyDegraded' }), item({ diagnosis: 'StandbyUnknown' }));
    expect(values({ observers })).toMatchObject({ StandbyDoubts: 1, ImpairedDiagnoses: 1, SickObservers: 0 });
  });

  it('in healthy times is three votes, a drill a day ago, and nothing else', () => {
    expect(values()).toEqual({
      ...Object.fromEntries(metricsOf('monitor').map((name) => [name, 0])),
      LiveVotes: 3,
      DrillAge: 86_400,
      SurveyAge: 3_600,
    });
  });

  it('counts an observer that is stale, unreadable or gone as one live vote less', () => {
    expect(values({ observers: said(item({ ageMs: policy.voteTtlMs })) }).LiveVotes).toBe(2);
    expect(values({ observers: said(undefined, { vote: 'HOLD' }) }).LiveVotes).toBe(1);
  });

  it('counts the votes to leave', () => {
    expect(values({ observers: said(evacuating) }).EvacuateVotes).toBe(1);
    expect(values({ observers: said(evacuating, evacuating) }).EvacuateVotes).toBe(2);
  });

  it('counts who agrees on a fault that only producers can judge, and does not add two of them up', () => {
    const canary = item({ diagnosis: 'CanaryOnly' });
    const access = item({ diagnosis: 'PrimaryRefusesAccess' });
    expect(values({ observers: said(canary, access) }).UnprovenFaults).toBe(1);
    expect(values({ observers: said(access, canary, access) }).UnprovenFaults).toBe(2);
    expect(values({ observers: said(item({ diagnosis: 'LatencyDegraded' })) }).UnprovenFaults).toBe(0);
  });

  it('tells the worst of what is said of single cells, by living observers alone', () => {
    const impaired = { ...item({ diagnosis: 'StreamImpaired' }), cells: [finding({ kind: 'impaired' })] };
    const trouble = (...items: readonly unknown[]) => values({ observers: said(...items) }).CellTrouble;
    expect(trouble()).toBe(cellTroubles.none);
    expect(trouble(impaired)).toBe(cellTroubles.suspected);
    expect(trouble(impaired, impaired)).toBe(cellTroubles.impaired);
    expect(trouble(impaired, { ...impaired, expiresAtMs: NOW_MS })).toBe(cellTroubles.suspected);
  });

  it('counts who would leave and is held back, until there is nothing left to move', () => {
    expect(values({ observers: said(held, held) }).BlockedVotes).toBe(2);
    expect(values({ observers: said(evacuating) }).BlockedVotes).toBe(0);
    expect(values({ observers: said(held), switchesInStandby: groups }).BlockedVotes).toBe(0);
    expect(values({ observers: said(held), switchesInStandby: groups - 1 }).BlockedVotes).toBe(1);
  });

  it.each<[DiagnosisCode | 'NotOfThisVersion', string]>([
    ['LatencyDegraded', 'ImpairedDiagnoses'],
    ['BothImpaired', 'ImpairedDiagnoses'],
    ['ObserverSick', 'SickObservers'],
    ['Undetermined', 'SickObservers'],
    ['NotOfThisVersion', 'SickObservers'],
  ])('counts %s among %s, and nowhere else', (diagnosis, metric) => {
    const { ImpairedDiagnoses, SickObservers } = values({ observers: said(item({ diagnosis })) });
    const found = { ImpairedDiagnoses, SickObservers };
    expect(found).toEqual({ ImpairedDiagnoses: 0, SickObservers: 0, [metric]: 1 });
  });

  it('counts to whom the standby is not known to work', () => {
    expect(values({ observers: said(item({ standbyWorks: false })) }).StandbyDoubts).toBe(1);
  });

  it('tells a DNS that does not answer from one that names the primary', () => {
    expect(values({ quorum: 'unknown' })).toMatchObject({ DnsInStandby: undefined, DnsUnread: 1 });
    expect(values({ quorum: 'standby' })).toMatchObject({ DnsInStandby: 1, DnsUnread: 0 });
  });

  it('counts the groups that only votes hold, while DNS is in the standby', () => {
    expect(values({ quorum: 'standby', switchesInStandby: 1 }).UnlatchedGroups).toBe(1);
    expect(values({ quorum: 'standby', switchesInStandby: 3 }).UnlatchedGroups).toBe(0);
    expect(values({ quorum: 'primary', switchesInStandby: 0 }).UnlatchedGroups).toBe(0);
    expect(values({ quorum: 'standby', switchesInStandby: undefined }).UnlatchedGroups).toBeUndefined();
  });

  const override = { owner: 'ana', reason: 'load test' };
  it.each([
    ['nothing', {}, 0],
    ['a pause', { pause: { ...override, untilMs: NOW_MS + 1 } }, 1],
    ['a pause that has run out', { pause: { ...override, untilMs: NOW_MS } }, 0],
    ['a window', { maintenance: { ...override, fromMs: NOW_MS, untilMs: NOW_MS + 1 } }, 1],
    ['a window to come', { maintenance: { ...override, fromMs: NOW_MS + 1, untilMs: NOW_MS + 2 } }, 0],
    ['the mode observe', { mode: 'observe' as const }, 1],
    ['an item that cannot be understood', 'unreadable' as const, 1],
    ['no answer', undefined, 1],
  ])('with %s is paused: %o -> %i', (_what, control, paused) => {
    expect(values({ control }).Paused).toBe(paused);
  });

  it('of a deployment whose config says observe nothing is forgotten, but for what an operator has set besides', () => {
    const deployed = { policy: { ...policy, mode: 'observe' as const }, groups };
    const paused = (control: MonitorReadings['control']) =>
      monitorValues(readings({ control }), deployed).Paused;
    expect(paused({})).toBe(0);
    expect(paused({ mode: 'observe' })).toBe(0);
    expect(paused({ mode: 'auto' })).toBe(0);
    expect(paused({ pause: { ...override, untilMs: NOW_MS + 1 } })).toBe(1);
  });

  it('says that the state is unread, rather than that no switch is set', () => {
    expect(values({ switchesInStandby: undefined })).toMatchObject({
      StateUnread: 1,
      SwitchesInStandby: undefined,
    });
    expect(values({ control: undefined }).StateUnread).toBe(1);
  });

  const DAY_MS = 86_400_000;
  it.each<[string, Recurring | undefined, number | undefined]>([
    ['that nobody asks for', {}, undefined],
    ['that nobody asks for any more', { doneAtMs: NOW_MS - DAY_MS }, undefined],
    ['that could not be read', undefined, undefined],
    ['that is asked for since an hour, and never was', { expectedSinceMs: NOW_MS - 3_600_000 }, 3_600],
    [
      'that was last done before it was asked for anew',
      { expectedSinceMs: NOW_MS - 60_000, doneAtMs: 1 },
      60,
    ],
    ['that was done a day ago', { expectedSinceMs: 1, doneAtMs: NOW_MS - DAY_MS }, 86_400],
    ['that another clock says is still to come', { expectedSinceMs: 1, doneAtMs: NOW_MS + 5_000 }, 0],
  ])('of work %s says how long it has been outstanding: %o -> %s', (_what, known, age) => {
    expect(values({ work: { drill: known, survey: known } })).toMatchObject({
      DrillAge: age,
      SurveyAge: age,
    });
  });

  it.each(endpointFindingNames)('counts an endpoint that is %s if that is trouble', (finding) => {
    const { UnfitEndpoints } = values({ endpoints: [asked('agrees'), asked(finding)] });
    expect(UnfitEndpoints).toBe(endpointFindings[finding].trouble ? 1 : 0);
  });

  it('says nothing of endpoints while none is known to agree or to be in trouble', () => {
    expect(values({ endpoints: undefined }).UnfitEndpoints).toBeUndefined();
    expect(values({ endpoints: [asked('missing'), asked('unknown')] }).UnfitEndpoints).toBeUndefined();
    expect(values({ endpoints: [asked('missing'), asked('dead')] }).UnfitEndpoints).toBe(1);
  });

  it('has a value or nothing for every metric of the table, whatever the tables hold', () => {
    const anything = fc.array(fc.record({ region: fc.string(), item: fc.anything() }), { maxLength: 5 });
    fc.assert(
      fc.property(anything, (observers) => {
        const found = values({ observers });
        expect(Object.keys(found).toSorted()).toEqual(metricsOf('monitor').toSorted());
        for (const value of Object.values(found))
          expect(value === undefined || Number.isFinite(value)).toBe(true);
      }),
    );
  });
});

it('puts each observer into words', () => {
  const observers = said(item(), item({ ageMs: 60_000 }), undefined);
  expect(observersInWords(readings({ observers }))).toBe(
    'us-west-2 HOLD Healthy; us-east-2 silent for 60 s; eu-west-1 cannot be read',
  );
});

it('says which cells an observer speaks of, the first few of many', () => {
  const cells = [finding({ kind: 'impaired' }), ...'abcdef'.split('').map((cell) => finding({ cell }))];
  const [first] = observersInWords(readings({ observers: said({ ...item(), cells }) })).split('; ');
  expect(first).toBe(
    'us-west-2 HOLD Healthy (orders impaired, a suspected, b suspected, c suspected, d suspected, 2 more)',
  );
});

it('knows every diagnosis', () => {
  for (const diagnosis of diagnosisCodes) {
    expect(values({ observers: said(item({ diagnosis })) }).LiveVotes).toBe(3);
  }
});

describe('the standby is down', () => {
  const up = allUp;
  it('when it is not known to take and return records, or its CloudWatch fails', () => {
    expect(standbyIsDown(up)).toBe(false);
    expect(standbyIsDown({ ...up, kinesisWrite: 'unknown' })).toBe(true);
    expect(standbyIsDown({ ...up, cloudWatch: 'down' })).toBe(true);
    expect(standbyIsDown({ ...up, cloudWatch: 'unknown' })).toBe(false);
  });
});

it('the last drill is the newest that did not fail', () => {
  const entry = (atMs: number, what: string, after?: unknown) => ({
    atMs,
    who: 'drill',
    what,
    why: 'x',
    after,
  });
  expect(lastDrillAtMs([])).toBeNull();
  expect(
    lastDrillAtMs([
      entry(4, 'drill', { ok: false }),
      entry(3, 'pause'),
      entry(2, 'drill', { ok: true }),
      entry(1, 'drill'),
    ]),
  ).toBe(2);
});
