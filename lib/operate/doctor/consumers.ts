import type { ConsumerFinding, ConsumerFindingCode } from '../../../lambda/core/consumer-findings.ts';
import { type ConsumersReport, reportOf } from '../../consumers/report.ts';
import { readConsumersOf } from '../consumers.ts';
import { type Check, type Finding, hint, ill, well } from './check.ts';

const CHECK = 'consumers';
const CALL_TIMEOUT_MS = 5_000;
/** Less than what a check may take. */
const BUDGET_MS = 45_000;
const COMMAND = 'npx spillway consumers';
/** What the owner may have decided so, where the config does not name the consumers. */
const ofNobody: readonly ConsumerFindingCode[] = ['none-found'];

/** Checks what a few calls show of the consumers, by the rules of `spillway consumers`. */
export const consumers: Check = {
  check: CHECK,
  purpose: 'what reads the streams of the primary would read those of the standby',
  region: ({ regions }) => regions.standby,
  run: async ({ clients, config, now }) => {
    const read = await readConsumersOf({
      ...{ config, clients, cells: config.cells, nowMs: now, deep: false },
      ...{ timeoutMs: CALL_TIMEOUT_MS, budgetMs: BUDGET_MS },
    });
    return consumersFindings(reportOf(read));
  },
};

/** Pure: one finding for each kind of fault, however many consumers have it. */
export function consumersFindings({ findings, cells }: ConsumersReport): readonly Finding[] {
  const found = [...Map.groupBy(findings, ({ code }) => code).values()].map(inDoctorsTerms);
  if (found.length > 0) return found;
  const count = cells.reduce((sum, { consumers: some }) => sum + some.length, 0);
  const who = `${count} ${count === 1 ? 'consumer' : 'consumers'}`;
  const of = `${cells.length} ${cells.length === 1 ? 'cell' : 'cells'}`;
  return [well(CHECK, `${who} of ${of}: there in both regions, and enabled`)];
}

function inDoctorsTerms(same: readonly ConsumerFinding[]): Finding {
  const [first] = same as readonly [ConsumerFinding];
  const more = same.length === 1 ? '' : `; and ${same.length - 1} more`;
  const text = `${first.cell === null ? '' : `${first.cell}: `}${first.text}${more}`;
  const isIll = first.level === 'bad' && !ofNobody.includes(first.code);
  const fix = same.length === 1 ? `${COMMAND} (or at once: ${first.fix})` : COMMAND;
  return isIll ? ill(CHECK, text, fix) : hint(CHECK, text, fix);
}
