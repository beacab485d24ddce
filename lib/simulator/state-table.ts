import type { GroupSwitch } from '../../lambda/core/streams.ts';
import { type Agenda, ranks } from './events.ts';
import type { OperatorAction } from './types.ts';

export interface StateTableOptions {
  readonly agenda: Agenda;
  readonly epochMs: number;
  readonly actions: readonly OperatorAction[];
  /** One switch for each. */
  readonly groups: readonly string[];
  readonly onSwitch: (group: string) => void;
  readonly trace: (text: string) => void;
}

const NEVER = Number.NEGATIVE_INFINITY;

type Who = 'the conductor' | 'an operator';

/** One switch, and when it was last set to hold, and when it last held. */
export interface SwitchState {
  readonly latched: boolean;
  readonly latchedMs: number;
  readonly heldMs: number;
}
const neverSet: SwitchState = { latched: false, latchedMs: NEVER, heldMs: NEVER };

/** The standby's state table: the control item, and the switches; and the operators who write to it. */
export class StateTable {
  readonly #options: StateTableOptions;
  #control: unknown;
  readonly #switches = new Map<string, SwitchState>();
  #latchedGroups = 0;
  /** One that was never set has no item. */
  readonly #setAtMs = new Map<string, number>();
  #items: readonly GroupSwitch[] = [];

  constructor(options: StateTableOptions) {
    this.#options = options;
    for (const action of options.actions) this.#plan(action);
  }

  get control(): unknown {
    return this.#control;
  }

  switchOf(group: string): SwitchState {
    return this.#switches.get(group) ?? neverSet;
  }

  get anyLatched(): boolean {
    return this.#latchedGroups > 0;
  }

  get allLatched(): boolean {
    return this.#latchedGroups === this.#options.groups.length;
  }

  get switchItems(): readonly GroupSwitch[] {
    return this.#items;
  }

  setAll(latched: boolean, who: Who): void {
    for (const group of this.#options.groups) this.setSwitch(group, { latched, who });
  }

  setSwitch(group: string, { latched, who }: { readonly latched: boolean; readonly who: Who }): void {
    const { agenda, trace, onSwitch } = this.#options;
    const before = this.switchOf(group);
    const { nowMs } = agenda;
    if (before.latched !== latched) this.#latchedGroups += latched ? 1 : -1;
    this.#switches.set(group, {
      latched,
      latchedMs: !before.latched && latched ? nowMs : before.latchedMs,
      heldMs: before.latched && !latched ? nowMs : before.heldMs,
    });
    this.#setAtMs.set(group, this.#options.epochMs + nowMs);
    this.#items = [...this.#setAtMs].map(([name, setAtMs]) => ({
      group: name,
      position: this.switchOf(name).latched ? 'STANDBY' : 'PRIMARY',
      setAtMs,
    }));
    trace(`${who} sets the switch of ${group} to ${latched ? 'STANDBY' : 'PRIMARY'}`);
    onSwitch(group);
  }

  #plan(action: OperatorAction): void {
    const { agenda, epochMs } = this.#options;
    const at = (atMs: number, run: () => void): void => agenda.at(atMs, { rank: ranks.world, run });
    switch (action.kind) {
      case 'release':
        at(action.atMs, () => this.setAll(false, 'an operator'));
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
