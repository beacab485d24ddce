import { setTimeout as sleep } from 'node:timers/promises';
import { GetFunctionConcurrencyCommand, GetFunctionUrlConfigCommand } from '@aws-sdk/client-lambda';
import { endpointPath } from '../../../lambda/core/endpoint-items.ts';
import { switchFunctionName } from '../../../lambda/core/names.ts';
import { type LatchInFlood, latchIn, REQUESTS_PER_UNIT } from '../../endpoint/flood.ts';
import { groupsOf } from '../../settings/cells-file.ts';
import { checkLabel } from './check-label.ts';
import type { DrillEvent } from './events.ts';
import { failOver } from './fail-over.ts';
import { type FloodCount, sendFlood } from './flood-requests.ts';
import type { Operator } from './operator.ts';
import { until } from './until.ts';
import type { Watching } from './watch.ts';
import type { World } from './world.ts';

export interface FloodPlan {
  readonly requestsPerSecond: number;
  readonly forMs: number;
}

/** A part of the last line of `spillway drill --json`, of a drill with a flood. */
export interface FloodEnd extends FloodCount {
  readonly ok: boolean;
  readonly requestsPerSecond: number;
  readonly forMs: number;
  /** Units of concurrency that the deployed switch function reserves. */
  readonly reserved: number;
  /** What docs/how-it-works.md, "What a flood can do", says of a latch in such a flood. */
  readonly expected: LatchInFlood;
  /** How often the DNS answer of any cell changed, from the flood's beginning until half a minute after its end. */
  readonly answersChanged: number;
}

export interface FloodSeen extends FloodEnd {
  /** When the operator began to move traffic: what is seen from then on belongs to the flood. */
  readonly sinceMs: number;
  readonly failures: readonly string[];
}

export interface FloodOptions {
  readonly plan: FloodPlan;
  readonly operator: Operator;
  readonly watching: Pick<Watching, 'answers'>;
  /** Everything that was seen so far, which grows. */
  readonly events: readonly DrillEvent[];
  readonly onEvent: (event: DrillEvent) => void;
  readonly signal: AbortSignal;
}

/** The checks may see that the switches hold a little later than DNS does. */
const LATCHED_TIMEOUT_MS = 90_000;
/** A checker that was refused three times says so half a minute later. */
const WATCH_AFTER_MS = 30_000;
/** From then on a flood that ends latches has ended this one. */
const CERTAIN_MS = 300_000;
/** Of sixteen checkers of one check, each every ten seconds. */
const CHECKER_REQUESTS_PER_SECOND = 1.6;

/**
 * Floods the switch endpoint while the switches alone hold traffic in the standby: an operator has failed over, and the
 * primary is well. The fault proxy refuses what the reserved concurrency of the deployed function would.
 */
export async function floodSwitches(world: World, options: FloodOptions): Promise<FloodSeen> {
  const { plan, operator, events, onEvent, signal } = options;
  const sinceMs = Date.now();
  const note = (text: string): void => onEvent({ kind: 'note', atMs: Date.now(), text });
  world.proxy.clear();
  const failures = [...(await failOver({ operator, onEvent, signal }))];
  const { host, reserved } = await switchEndpoint(world, signal);
  const groups = groupsOf(world.config.cells);
  const requestsPerSecond = plan.requestsPerSecond + groups.length * CHECKER_REQUESTS_PER_SECOND;
  const expected = latchIn({ reserved, requestsPerSecond });
  const nothing = { ...plan, sent: 0, refused: 0, unsent: 0, reserved, expected, answersChanged: 0 };
  // Without a latch there is nothing to flood.
  if (failures.length > 0) return { ...nothing, ok: false, sinceMs, failures };
  await latched(world, options);
  const inWords = {
    holds: 'the latch holds',
    'may end': 'the latch may end',
    ends: 'the latch ends within minutes',
  };
  note(
    `a flood of ${plan.requestsPerSecond} requests/s on the switch endpoint, which reserves ${reserved}: ${inWords[expected]}, say the documents`,
  );
  const beganAtMs = Date.now();
  world.proxy.limitRequests(host, reserved * REQUESTS_PER_UNIT);
  const paths = groups.map((of) => endpointPath({ kind: 'switch', of }));
  const counted = await sendFlood({ ...plan, origin: world.proxy.floodOrigin, host, paths, signal });
  world.proxy.limitRequests(host, undefined);
  note(`the flood is over: ${counted.sent} requests, ${counted.refused} refused`);
  await sleep(WATCH_AFTER_MS, undefined, { signal });
  const answersChanged = events.filter(({ kind, atMs }) => kind === 'dns' && atMs >= beganAtMs).length;
  failures.push(...unexpected({ expected, answersChanged, forMs: plan.forMs }));
  const ok = failures.length === 0;
  return { ...nothing, ...counted, answersChanged, ok, sinceMs, failures };
}

/** Pure. Between the two limits, and in a short time, either is what the documents say. */
export function unexpected({
  expected,
  answersChanged,
  forMs,
}: Pick<FloodEnd, 'expected' | 'answersChanged' | 'forMs'>): readonly string[] {
  if (expected === 'holds' && answersChanged > 0) {
    return [`the latch was to hold, and ${answersChanged} DNS answers changed during the flood`];
  }
  if (expected === 'ends' && answersChanged === 0 && forMs >= CERTAIN_MS) {
    return ['the latch was to end within minutes, and no DNS answer changed during the flood'];
  }
  return [];
}

/** Waits until every name follows its switch, and its check sees that the switch holds. */
async function latched(
  { config, dataPlane }: World,
  { watching, signal }: Pick<FloodOptions, 'watching' | 'signal'>,
): Promise<void> {
  const missing = (): string[] => [
    ...config.cells.flatMap(({ name }) =>
      watching.answers.get(name) === config.regions.standby ? [] : [`signal of ${name}`],
    ),
    ...dataPlane.healthChecks().flatMap((status) => {
      const label = checkLabel(status, config);
      return label.startsWith('switch') && status.healthy ? [`check ${label}`] : [];
    }),
  ];
  await until({
    what: 'every switch to hold its cells in the standby',
    timeoutMs: LATCHED_TIMEOUT_MS,
    everyMs: 250,
    holds: () => missing().length === 0,
    missing: () => missing().join(', '),
    signal,
  });
}

/** As it is deployed. */
async function switchEndpoint({ clients, config }: World, abortSignal: AbortSignal) {
  const lambda = clients.lambda(config.regions.standby);
  const of = { FunctionName: switchFunctionName(config.name) };
  const [{ FunctionUrl }, { ReservedConcurrentExecutions }] = await Promise.all([
    lambda.send(new GetFunctionUrlConfigCommand(of), { abortSignal }),
    lambda.send(new GetFunctionConcurrencyCommand(of), { abortSignal }),
  ]);
  return {
    host: new URL(String(FunctionUrl)).host,
    reserved: ReservedConcurrentExecutions ?? config.delivery.switchConcurrency,
  };
}
