import { Construct } from 'constructs';
import { SWITCH_FAILURES } from '../../lambda/core/deployment.ts';
import { standbyMarker, switchPath } from '../../lambda/core/names.ts';
import type { Config } from '../config/config.ts';
import { markerCheck } from './health-checks.ts';
import type { AskedHost } from './public-endpoint.ts';

export interface SwitchChecksProps {
  readonly config: Config;
  readonly groups: readonly string[];
  readonly endpoint: AskedHost;
}

/** One health check for the switch of each group. */
export class SwitchChecks extends Construct {
  /** Health check ids by group. */
  readonly ids: ReadonlyMap<string, string>;

  constructor(scope: Construct, id: string, { config, groups, endpoint }: SwitchChecksProps) {
    super(scope, id);
    this.ids = new Map(
      groups.map((group) => {
        const check = markerCheck(this, group, {
          name: `${config.name} switch ${group}`,
          host: endpoint,
          path: switchPath(group),
          marker: standbyMarker,
          failureThreshold: SWITCH_FAILURES,
          intervalSeconds: config.delivery.healthCheckIntervalSeconds,
        });
        return [group, check.attrHealthCheckId];
      }),
    );
  }
}
