import { evacuateMarker, standbyMarker, switchPath, votePath } from '../../lambda/core/names.ts';
import type { EndpointCheck } from '../route53/health-check.ts';
import { probe } from '../route53/probe-http.ts';
import { judgeResponse, type ProbeOutcome } from '../route53/response.ts';
import type { Check } from './check.ts';
import { type ProveContext, pause } from './context.ts';
import { provenGroup, readDeployed } from './deployed.ts';
import { ProveError } from './errors.ts';
import { confirmed, type Figures, judged, refuted, spread, undecided } from './judgement.ts';

export interface EndpointsSeen {
  /** One after the other. */
  readonly alone: readonly Asked[];
  /** Several of one endpoint at once. */
  readonly together: readonly Asked[];
}

export interface Asked {
  /** `vote us-west-2`, `switch drill` */
  readonly endpoint: string;
  readonly outcome: ProbeOutcome;
}

const ALONE = 10;
const TOGETHER = 8;
const PAUSE_MS = 300;

interface Endpoint {
  readonly name: string;
  readonly check: EndpointCheck;
}

export const endpoints: Check<'endpoints', EndpointsSeen> = {
  observe: async (context) => {
    const list = await endpointsOf(context);
    // Nothing but HTTP from here on.
    if (context.rehearsing) return { alone: [], together: [] };
    if (list.length === 0) {
      throw new ProveError('the guard has stored no endpoint: deploy with this version');
    }
    const alone: Asked[] = [];
    for (let n = 0; n < ALONE; n++) {
      alone.push(...(await Promise.all(list.map((endpoint) => ask(context, endpoint)))));
      await pause(context, PAUSE_MS);
    }
    const together: Asked[] = [];
    for (const endpoint of list) {
      together.push(...(await Promise.all(Array.from({ length: TOGETHER }, () => ask(context, endpoint)))));
    }
    return { alone, together };
  },
  judges: {
    'function-url-in-time': ({ alone }) => inTime(alone),
    'cold-start-in-time': ({ together }) => inTime(together),
    'function-url-public': ({ alone }) => {
      const statuses = alone.flatMap(({ outcome }) => ('status' in outcome ? [outcome.status] : []));
      const denied = alone.filter(
        ({ outcome }) => 'status' in outcome && [401, 403].includes(outcome.status),
      );
      if (denied.length > 0) return refuted({ denied: denied.length }, `refused by ${namesOf(denied)}`);
      if (statuses.length < alone.length || statuses.some((status) => status !== 200))
        return undecided(`not every request was answered with 200 (${tally(statuses, alone.length)})`);
      return confirmed({ answers: statuses.length });
    },
  },
};

/** Judged as a checker does that searches for nothing in particular. */
function inTime(asked: readonly Asked[]) {
  if (asked.length === 0) return undecided('no endpoint was asked');
  const unreached = asked.filter(({ outcome }) => outcome.reached === 'nothing');
  if (unreached.length === asked.length) return undecided('no endpoint could be reached from this machine');
  const late = asked.filter(({ outcome }) => !isInTime(outcome));
  return judged(late.length === 0, timesOf(asked), late.length === 0 ? undefined : `late: ${namesOf(late)}`);
}

const isInTime = (outcome: ProbeOutcome): boolean => {
  const verdict = judgeResponse({ type: 'HTTPS_STR_MATCH', searchString: '' }, outcome);
  // A refusal that comes in time is another matter.
  return verdict.passed || verdict.reason === 'status-code';
};

function timesOf(asked: readonly Asked[]): Figures {
  const statusMs = asked.flatMap(({ outcome }) =>
    'statusMs' in outcome ? [outcome.connectMs + outcome.statusMs] : [],
  );
  return { requests: asked.length, ...spread('Ms', statusMs) };
}

const namesOf = (asked: readonly Asked[]): string =>
  [...new Set(asked.map(({ endpoint }) => endpoint))].join(', ');

function tally(statuses: readonly number[], asked: number): string {
  const counted = [...Map.groupBy(statuses, (status) => status)].map(
    ([status, { length }]) => `${length} × ${status}`,
  );
  const silent = asked - statuses.length;
  return [...counted, ...(silent === 0 ? [] : [`${silent} without an answer`])].join(', ');
}

/** The votes, and the switch of one group. */
async function endpointsOf(context: ProveContext): Promise<readonly Endpoint[]> {
  const { votes, switches } = await readDeployed(context);
  const group = provenGroup(context);
  const ofSwitch = switches.switches.get(group);
  return [
    ...[...(votes?.votes ?? [])].map(([region, { host }]) => ({
      name: `vote ${region}`,
      check: checkOf({ host, path: votePath, marker: evacuateMarker }),
    })),
    ...(ofSwitch === undefined
      ? []
      : [
          {
            name: `switch ${group}`,
            check: checkOf({ host: ofSwitch.host, path: switchPath(group), marker: standbyMarker }),
          },
        ]),
  ];
}

function checkOf(of: {
  readonly host: string;
  readonly path: string;
  readonly marker: string;
}): EndpointCheck {
  return {
    kind: 'endpoint',
    id: 'spillway-prove',
    type: 'HTTPS_STR_MATCH',
    fqdn: of.host,
    port: 443,
    resourcePath: of.path,
    searchString: of.marker,
    inverted: true,
    disabled: false,
    requestIntervalSeconds: 10,
    failureThreshold: 1,
    regions: [],
    enableSni: true,
  };
}

async function ask({ world, signal }: ProveContext, { name, check }: Endpoint): Promise<Asked> {
  signal.throwIfAborted();
  const host = check.fqdn ?? '';
  const target = { origin: new URL(world?.localStackUrl ?? `https://${host}`), hostHeader: host };
  return { endpoint: name, outcome: await probe({ check, target, signal, now: () => performance.now() }) };
}
