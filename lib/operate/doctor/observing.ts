import { observerRegions } from '../../config/config.ts';
import { readObservers } from '../observers.ts';
import { type Check, type Found, ill, well } from './check.ts';

const CHECK = 'observers';
const TIMEOUT_MS = 2_500;
const DEPLOY = 'Deploy to every region: npx cdk deploy --all';

/** Checks that every observer decides: a silent observer votes HOLD. */
export const observing: Check = {
  check: CHECK,
  purpose: 'every observer decides, and sees the standby working',
  region: ({ regions }) => regions.standby,
  run: async ({ clients, config, nowMs }) => {
    const readings = await readObservers(config, { clients, timeoutMs: TIMEOUT_MS, nowMs: () => nowMs });
    const found = [...readings].flatMap(([region, report]): readonly Found[] => {
      const fix = `Read its log: aws logs tail /aws/lambda/${config.name}-observer --region ${region} --since 10m`;
      const kind = report.ok ? undefined : report.failure?.kind;
      // The table of an observer that has written nothing usable has answered: the observer's log says why.
      if (!report.ok && kind === 'unusable') return [ill(CHECK, `${region}: ${report.problem}`, fix)];
      if (!report.ok && kind === 'missing') return [ill(CHECK, `${region}: ${report.problem}`, DEPLOY)];
      if (!report.ok) {
        const error = report.error ?? new Error(report.problem);
        return [{ check: CHECK, region, what: `observer ${region}`, error }];
      }
      if (!report.value.fresh) return [ill(CHECK, `${region} is silent: its vote has expired`, fix)];
      const { diagnosis } = report.value;
      if (diagnosis === 'Healthy') return [];
      return [
        ill(
          CHECK,
          `${region} says ${diagnosis}`,
          `See spillway why; what to do: docs/runbook.md, ${diagnosis}`,
        ),
      ];
    });
    return found.length > 0
      ? found
      : [well(CHECK, `${observerRegions(config.regions).length} observers decide, and all is healthy`)];
  },
};
