import { type Agenda, ranks } from './events.ts';
import type { OperatorAction } from './types.ts';

export interface StateTableOptions {
  readonly agenda: Agenda;
  readonly epochMs: number;
  readonly actions: readonly OperatorAction[];
  readonly onSwitch: () => void;
  readonly trace: (text: string) => void;
}

const NEVER = Number.NEGATIVE_INFINITY;

/** The standby's state table: the control item, and the one switch; and the operators who write to it. */
export class StateTable {
  readonly #options: StateTableOptions;
  #control: unknown;
  #latched = false;
  /** When the switch was last set to hold, and when it last held. */
  latchedMs = NEVER;
  heldMs = NEVER;

  constructor(options: StateTableOptions) {
    this.#options = options;
    for (const action of options.actions) this.#plan(action);
  }

  get control(): unknown {
    return this.#control;
  }

  get latched(): boolean {
    return this.#latched;
  }

  /** A switch that was never set has no item. */
  get switchItems(): readonly unknown[] {
    return this.#latched ? [{ position: 'STANDBY' }] : [];
  }

  setSwitch(latched: boolean, who: 'the conductor' | 'an operator'): void {
    const { agenda, trace, onSwitch } = this.#options;
    if (this.#latched && !latched) this.heldMs = agenda.nowMs;
    if (!this.#latched && latched) this.latchedMs = agenda.nowMs;
    this.#latched = latched;
    trace(`${who} sets the switch to ${latched ? 'STANDBY' : 'PRIMARY'}`);
    onSwitch();
  }

  #plan(action: OperatorAction): void {
    const { agenda, epochMs } = this.#options;
    const at = (atMs: number, run: () => void): void => agenda.at(atMs, { rank: ranks.world, run });
    switch (action.kind) {
      case 'release':
        at(action.atMs, () => this.setSwitch(false, 'an operator'));
        return;
      case 'unreadable':
        at(action.atMs, () => this.#setControl('damaged'));
        at(action.atMs + action.forMs, () => this.#setControl(undefined));
        return;
      case 'pause':
      case 'maintenance': {
        const fromMs = epochMs + action.atMs;
        const item = { owner: 'operator', reason: action.kind, fromMs, untilMs: fromMs + action.forMs };
        at(action.atMs, () => this.#setControl({ [action.kind]: item }));
        return;
      }
      default:
        action satisfies never;
    }
  }

  #setControl(item: unknown): void {
    this.#control = item;
    this.#options.trace(`control item: ${JSON.stringify(item) ?? 'none'}`);
  }
}
