import { GetAccountLimitCommand } from '@aws-sdk/client-route-53';
import { checkedGroups } from '../../config/checked-groups.ts';
import { observerRegions } from '../../config/config.ts';
import { type Check, type Finding, ill, well } from './check.ts';

const CHECK = 'health-check quota';
/** From this share on, the next health check of another team may no longer fit. */
const NEARLY_FULL = 0.9;

export const healthCheckQuota: Check = {
  check: CHECK,
  purpose: 'the account may have the health checks that the config needs',
  region: () => 'Route 53',
  run: async ({ clients, config, local }) => {
    if (local) return [well(CHECK, 'not checked: a local world has no quotas')];
    const { Count: used = 0, Limit: limit } = await clients
      .route53()
      .send(new GetAccountLimitCommand({ Type: 'MAX_HEALTH_CHECKS_BY_OWNER' }));
    const needed = observerRegions(config.regions).length + 1 + checkedGroups(config).length;
    return [quotaFinding({ used, limit: limit?.Value ?? 0, needed, assumed: config.healthCheckQuota })];
  },
};

/** Pure. */
export function quotaFinding(quota: {
  readonly used: number;
  readonly limit: number;
  readonly needed: number;
  readonly assumed: number;
}): Finding {
  const { used, limit, needed, assumed } = quota;
  const raise =
    'Ask for more in Service Quotas (Route 53, health checks), or let cells share a switch with `group`.';
  if (needed > limit) return ill(CHECK, `${needed} are needed, the account may have ${limit}`, raise);
  if (assumed > limit) {
    const fix = `Write healthCheckQuota: ${limit} into the config, or ask for more in Service Quotas.`;
    return ill(CHECK, `the config assumes ${assumed}, the account may have ${limit}`, fix);
  }
  if (used >= limit * NEARLY_FULL) return ill(CHECK, `${used} of ${limit} are used`, raise);
  return well(CHECK, `${needed} are needed; the account has ${used} of ${limit}`);
}
