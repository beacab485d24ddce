import { failbackPossibleFromMs } from '../../lambda/core/failback.ts';
import { RefusedError } from '../operate/errors.ts';
import { named } from '../operate/named.ts';
import { type ExitCode, exitCodes } from '../shell/exit-codes.ts';
import { localTime } from './local-time.ts';
import type { Outcome } from './verb.ts';

export interface Refusal {
  readonly rule: string;
  readonly reason: string;
  /** When the rule stops refusing by itself, in epoch milliseconds; absent: never, or not known. */
  readonly untilMs?: number;
  /** `--force` does not overrule it. */
  readonly final?: true;
}

/** What the guards say to an act, asked with real readings before anything is done. */
export interface Check {
  readonly verb: string;
  readonly cells: readonly string[];
  readonly refusals: readonly Refusal[];
  /** Facts that are worth knowing and refuse nothing. */
  readonly notes: readonly string[];
  readonly atMs: number;
  /** `--force` was given. */
  readonly forced: boolean;
}

export const isRefused = ({ refusals, forced }: Check): boolean =>
  refusals.some(({ final }) => final || !forced);

/** @throws RefusedError, with the times until which the guards refuse, unless force overrules each guard */
export function mustGo(check: Check, hint: string): void {
  if (!isRefused(check)) return;
  throw new RefusedError(
    check.refusals.map(({ rule, reason, untilMs }) => ({
      rule,
      reason: untilMs === undefined ? reason : `${reason}, until ${timeOf(check, untilMs)}`,
      ...(untilMs === undefined ? {} : { untilMs }),
    })),
    hint,
  );
}

/** The lines that say what `--force` overrules, to be shown before asking for consent. */
export function forceLines({ forced, refusals }: Check): readonly string[] {
  if (!forced) return [];
  if (refusals.length === 0) return ['--force overrules nothing: no guard refuses'];
  return refusals.map(({ rule, reason }) => `--force overrules ${rule}: ${reason}`);
}

const MAX_REASON = 1_000;

/** The reason as it is journaled: with the guards that were overruled. */
export function reasonOf(reason: string, { forced, refusals }: Check): string {
  if (!forced || refusals.length === 0) return reason;
  const overruled = refusals.map(({ rule, reason: why }) => `${why} (${rule})`).join('; ');
  return `${reason} [forced although ${overruled}]`.slice(0, MAX_REASON);
}

export const exitOfCheck = (check: Check): ExitCode =>
  isRefused(check) ? exitCodes.refused : exitCodes.done;

export function checkOutcome(check: Check): Outcome {
  return {
    exit: exitOfCheck(check),
    document: { ok: !isRefused(check), check: true, ...checkDocument(check) },
    screen: checkLines(check).join('\n'),
  };
}

export function checkDocument(check: Check) {
  const { verb, cells, refusals, notes, atMs, forced } = check;
  const fromMs = possibleFromMs(check);
  return {
    verb,
    cells,
    refused: isRefused(check),
    possibleFrom: fromMs === null ? null : new Date(fromMs).toISOString(),
    refusals: refusals.map(({ rule, reason, untilMs }) => ({
      rule,
      reason,
      until: untilMs === undefined ? null : new Date(untilMs).toISOString(),
    })),
    forced,
    notes,
    atMs,
  };
}

const possibleFromMs = (check: Check): number | null =>
  failbackPossibleFromMs(isRefused(check) ? check.refusals : [], check.atMs);

const timeOf = ({ atMs }: Check, ms: number): string => localTime(ms, { nowMs: atMs });

/** The verdict first, then guard by guard. */
export function checkLines(check: Check): readonly string[] {
  const { verb, cells, refusals, notes } = check;
  const act = `${verb} of ${named(cells)}`;
  const guards = refusals.map(({ rule, reason, untilMs }) => {
    const until = untilMs === undefined ? '' : `, until ${timeOf(check, untilMs)}`;
    return `  ${rule}: ${reason}${until}`;
  });
  return [...verdict(check, act), ...guards, ...notes.map((note) => `  ${note}`)];
}

function verdict(check: Check, act: string): readonly string[] {
  const { refusals } = check;
  const guards = `${refusals.length} ${refusals.length === 1 ? 'guard' : 'guards'}`;
  if (refusals.length === 0) return [`${act}: would start. No guard refuses.`];
  if (!isRefused(check)) return [`${act}: would start, by force: --force overrules ${guards}.`];
  const fromMs = possibleFromMs(check);
  const when =
    fromMs === null
      ? 'for how long is not known'
      : `possible from ${timeOf(check, fromMs)}, if no other guard refuses by then`;
  return [`${act}: would be refused by ${guards}; ${when}.`];
}
