import { endpointText } from '../../../lambda/core/endpoint-text.ts';
import { evacuateMarker, standbyMarker, switchPath, votePath } from '../../../lambda/core/names.ts';
import type { Check } from '../check.ts';
import { readDeployed } from '../deployed.ts';
import { ProveError } from '../errors.ts';
import { awsPorts } from './aws-ports.ts';
import { clearLeftovers } from './clear.ts';
import { judges } from './judges.ts';
import { placeOf } from './leftovers.ts';
import type { HealthCheckSeen } from './sample.ts';
import { type HealthCheckPlan, watchHealthCheck } from './watch.ts';

/** As the signals have by default; short, so that nothing is kept by a resolver. */
const TTL_SECONDS = 5;

export const healthCheck: Check<'health-check', HealthCheckSeen> = {
  observe: async (context) => {
    const { config, drill, rehearsing } = context;
    if (drill === undefined) throw new ProveError('the config names no cell for drills');
    await clearLeftovers(context);
    const { votes, switches } = await readDeployed(context);
    const ofSwitch = switches.switches.get(drill.group);
    const ofVote = votes?.votes.get(config.regions.standby);
    if (!rehearsing && (ofSwitch === undefined || ofVote === undefined)) {
      throw new ProveError('the guard has stored no endpoint of the drill cell: deploy with this version');
    }
    const own = { host: ofSwitch?.host ?? '<host of the switch>', path: switchPath(drill.group) };
    const plan: HealthCheckPlan = {
      ttlSeconds: TTL_SECONDS,
      asks: {
        new: { ...own, text: standbyMarker },
        'text-shown': { ...own, text: endpointText('switch', { value: 'PRIMARY', read: true }) },
        'text-gone': { ...own, text: standbyMarker },
        'other-host': { host: ofVote?.host ?? '<host of the vote>', path: votePath, text: evacuateMarker },
        // The body of a 404, see lib/endpoint.
        'error-status': { ...own, path: '/spillway-prove', text: 'not found' },
      },
    };
    const switchCheckId = ofSwitch?.checkId ?? '<check of the switch>';
    const ports = await awsPorts({
      context,
      place: placeOf(context),
      switchCheckId,
      ttlSeconds: TTL_SECONDS,
    });
    return watchHealthCheck(plan, ports);
  },
  judges,
};
