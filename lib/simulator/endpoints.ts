import { observerRegions } from '../config/config.ts';
import { checkerRegions } from '../route53/health-check.ts';
import type { Calls } from './calls.ts';
import { EndpointCheckers, type EndpointOptions } from './checkers.ts';
import { CHECKERS_PER_REGION, type Dns } from './dns.ts';
import type { Agenda } from './events.ts';
import type { Noise } from './noise.ts';
import { type Routing, switchCheckId, voteCheckId } from './routing.ts';
import { groupsOfSystem, type SimulatedSystem } from './system.ts';

export interface EndpointsOptions {
  readonly system: SimulatedSystem;
  readonly routing: Routing;
  readonly agenda: Agenda;
  readonly calls: Calls;
  readonly dns: Dns;
  readonly noise: Noise;
  readonly seed: number;
  /** Whether the vote endpoint in this region says EVACUATE now. */
  readonly accuses: (region: string) => boolean;
  /** Whether the switch of this group holds. */
  readonly holds: (group: string) => boolean;
  readonly onChange: (check: string, healthy: boolean) => void;
}

const CHECKERS = CHECKERS_PER_REGION * checkerRegions.length;

/** The endpoints that Route 53's checkers ask: the vote of each observer, and each switch. */
export class Endpoints {
  readonly votes: ReadonlyMap<string, EndpointCheckers>;
  readonly switches: ReadonlyMap<string, EndpointCheckers>;

  constructor(options: EndpointsOptions) {
    const { system } = options;
    const { regions } = system;
    let count = 0;
    const endpoint = (id: string, own: Own): EndpointCheckers =>
      new EndpointCheckers({ ...common(options, id), ...own, before: CHECKERS * count++ });
    this.votes = new Map(
      observerRegions(regions).map((region) => [
        region,
        endpoint(voteCheckId(region), {
          region,
          tableOperation: 'GetItem',
          remembers: false,
          marked: () => options.accuses(region),
        }),
      ]),
    );
    this.switches = new Map(
      groupsOfSystem(system).map((group) => [
        group,
        endpoint(switchCheckId(group), {
          region: regions.standby,
          tableOperation: 'Query',
          remembers: true,
          marked: () => options.holds(group),
        }),
      ]),
    );
  }
}

type Own = Pick<EndpointOptions, 'region' | 'tableOperation' | 'remembers' | 'marked'>;

function common(
  { routing, agenda, calls, dns, noise, seed, onChange }: EndpointsOptions,
  id: string,
): Omit<EndpointOptions, keyof Own | 'before'> {
  const check = routing.endpoints.find((each) => each.id === id);
  if (check === undefined) throw new Error(`The tree has no check ${id}.`);
  return { check, agenda, calls, dns, noise, seed, onChange: () => onChange(id, dns.board.isHealthy(id)) };
}
