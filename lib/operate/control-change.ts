import type { Control, ControlReading } from '../../lambda/core/control.ts';
import type { Mode } from '../../lambda/core/policy.ts';
import { RefusedError } from './errors.ts';

export interface Override {
  readonly owner: string;
  readonly reason: string;
  readonly untilMs: number;
}

/** What an operator may say. Each is one act in the journal. */
export type ControlAct =
  | { readonly kind: 'pause'; readonly override: Override }
  | { readonly kind: 'resume' }
  | { readonly kind: 'maintenance'; readonly override: Override & { readonly fromMs: number } }
  | { readonly kind: 'approve'; readonly override: Override };

export interface ControlChange {
  readonly before: ControlReading;
  readonly after: Control;
}

export interface ControlContext {
  readonly nowMs: number;
  /** The mode of the deployed policy. */
  readonly policyMode: Mode;
}

/** Pure: the control item after the act. @throws RefusedError when the act would have no effect, or hide something. */
export function changeControl(
  before: ControlReading,
  act: ControlAct,
  context: ControlContext,
): ControlChange {
  if (before === 'unreadable') {
    // Nobody knows what it was meant to say; only the act whose purpose is to clear it may replace it.
    if (act.kind === 'resume') return { before, after: {} };
    throw new RefusedError(
      [{ rule: 'unreadable', reason: 'the control item cannot be understood, and counts as a pause' }],
      'Look at it, then clear it with: spillway resume --reason "…"',
    );
  }
  return { before, after: after(before, act, context) };
}

function after(before: Control, act: ControlAct, { nowMs, policyMode }: ControlContext): Control {
  switch (act.kind) {
    case 'pause':
      return { ...before, pause: act.override };
    case 'maintenance':
      return { ...before, maintenance: act.override };
    case 'resume':
      return resumed(before, nowMs);
    case 'approve': {
      const mode = before.mode ?? policyMode;
      if (mode === 'approve') return { ...before, approval: act.override };
      throw new RefusedError(
        [{ rule: 'mode', reason: `mode is ${mode}, in which consent changes nothing` }],
        mode === 'observe' ? 'To move traffic now: spillway failover --all --reason "…"' : undefined,
      );
    }
    default:
      return act satisfies never;
  }
}

function resumed(before: Control, nowMs: number): Control {
  const { pause, maintenance, ...rest } = before;
  const stands = [pause, maintenance].some((override) => override !== undefined && nowMs < override.untilMs);
  if (stands) return rest;
  throw new RefusedError([
    { rule: 'nothing-to-resume', reason: 'neither a pause nor a maintenance window stands' },
  ]);
}
