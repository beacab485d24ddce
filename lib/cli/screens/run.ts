import { conductorSteps, runEnds } from '../../../lambda/core/conductor.ts';
import type { ConductorStart } from '../../conductor/input.ts';
import type { Regions } from '../../config/config.ts';
import type { Report } from '../../operate/conductor.ts';
import { named } from '../../operate/named.ts';

export interface RunWords {
  /** `failover` or `failback`. */
  readonly what: string;
  readonly cells: readonly string[];
  readonly regions: Pick<Regions, 'primary' | 'standby'>;
  readonly input: ConductorStart;
  readonly report: Report;
}

type Words = (run: RunWords) => string;

/** Sentences that say more about this run than the table of ends can. */
const words: Readonly<Record<string, Words>> = {
  latched: (run) =>
    `${subject(run)} in ${run.regions.standby}${dnsAfter(run)}; the ${switches(run)} since ${heldAfter(run)}, until somebody fails back.`,
  'failed-back': (run) =>
    `${subject(run)} back in ${run.regions.primary}${dnsAfter(run)}; ${run.regions.primary} stayed healthy while it was watched${pause(run)}.`,
  'latched-dns-elsewhere': (run) =>
    `The ${switches(run)} since ${heldAfter(run)}, and DNS has not followed to ${run.regions.standby} for all of ${named(run.cells)}.`,
  'latched-arrivals-unknown': (run) =>
    `${subject(run)} in ${run.regions.standby}${dnsAfter(run)}; whether records arrive there could not be seen.`,
  'failback-taken-back': (run) =>
    `${run.regions.primary} degraded again, so what had been released is in ${run.regions.standby} again.`,
};

/**
 * The screen of a run that has ended: how it ended, in words; then its findings, its name, and what to run
 * next.
 */
export function runScreen(run: RunWords): string {
  const { what, report } = run;
  const { state, epoch, run: name, findings, nextCommand } = report;
  const said = words[state]?.(run) ?? ends.get(state) ?? `The run ended as ${state}.`;
  return [
    `${what}: ${said}`,
    ...findings.map((finding) => `  ${finding}`),
    `${state}: run ${name}, epoch ${epoch}`,
    ...(nextCommand === undefined ? [] : [`next: ${nextCommand}`]),
  ].join('\n');
}

const ends: ReadonlyMap<string, string> = new Map([
  ...conductorSteps.map(
    ({ step, purpose, whenItFails }) =>
      [
        whenItFails.state,
        `the step ${step} could not finish, and the run ${whenItFails.stops ? 'stopped there' : 'went on'}. (${purpose})`,
      ] as const,
  ),
  ...runEnds.map(({ state, meaning }) => [state, meaning] as const),
]);

const subject = ({ cells }: RunWords): string => `${named(cells)} ${cells.length === 1 ? 'is' : 'are'}`;

const switches = ({ report: { latched } }: RunWords): string =>
  latched === 1 ? 'switch has held' : `${latched} switches have held`;

const seconds = (ms: number): string => {
  const value = ms / 1_000;
  return `${value.toFixed(value < 10 ? 1 : 0)} s`;
};

const heldAfter = ({ report: { latchedAtMs, startedAtMs } }: RunWords): string =>
  latchedAtMs === undefined ? 'an unknown time' : `${seconds(latchedAtMs - startedAtMs)} after the start`;

const dnsAfter = ({ report: { dnsAtMs, startedAtMs } }: RunWords): string =>
  dnsAtMs === undefined ? '' : ` after ${seconds(dnsAtMs - startedAtMs)}`;

function pause({ input }: RunWords): string {
  if (input.action !== 'failback') return '';
  const { pauseSeconds = 300 } = input;
  return ` for ${pauseSeconds} s after ${(input.percent ?? 100) === 100 ? 'that' : 'each stage'}`;
}
