import { observerRegions } from '../../config/config.ts';
import { readObservers } from '../observers.ts';
import { type Check, type Finding, ill, well } from './check.ts';

const CHECK = 'observers';
const TIMEOUT_MS = 2_500;

/** What watches must be awake: an observer that is silent votes HOLD. */
export const observing: Check = {
  check: CHECK,
  purpose: 'every observer decides, and sees the standby working',
  run: async ({ clients, config, nowMs }) => {
    const readings = await readObservers(config, { clients, timeoutMs: TIMEOUT_MS, nowMs: () => nowMs });
    const found = [...readings].flatMap(([region, report]): readonly Finding[] => {
      const fix = `Read its log: aws logs tail /aws/lambda/${config.name}-observer --region ${region} --since 10m`;
      if (!report.ok) return [ill(CHECK, `${region}: ${report.problem}`, fix)];
      if (!report.value.fresh) return [ill(CHECK, `${region} is silent: its vote has run out`, fix)];
      const { diagnosis } = report.value;
      if (diagnosis === 'Healthy') return [];
      return [
        ill(
          CHECK,
          `${region} says ${diagnosis}`,
          `Look: spillway why; what to do: docs/runbook.md, ${diagnosis}`,
        ),
      ];
    });
    return found.length > 0
      ? found
      : [well(CHECK, `${observerRegions(config.regions).length} observers decide, and all is healthy`)];
  },
};
