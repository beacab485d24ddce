import type { createColors } from 'picocolors';
import type { DrillEvent } from './events.ts';
import { paceText } from './pace.ts';

type Colors = ReturnType<typeof createColors>;

export interface TimelineOptions {
  readonly write: (line: string) => void;
  readonly colors: Colors;
  readonly originMs: number;
}

/** Writes the timeline as lines, each with the time since the fault's start (or since the drill's start, before it). */
export class Timeline {
  readonly #write: (line: string) => void;
  readonly #colors: Colors;
  #originMs: number;

  constructor({ write, colors, originMs }: TimelineOptions) {
    this.#write = write;
    this.#colors = colors;
    this.#originMs = originMs;
  }

  /** From now on times count from the fault's start. */
  restart(originMs: number): void {
    this.#originMs = originMs;
  }

  add(event: DrillEvent): void {
    const seconds = ((event.atMs - this.#originMs) / 1_000).toFixed(1).padStart(6);
    const [label, text] = describe(event, this.#colors);
    this.#write(`${this.#colors.dim(`${seconds} s`)}  ${label.padEnd(9)} ${text}`);
  }
}

function describe(event: DrillEvent, colors: Colors): readonly [string, string] {
  switch (event.kind) {
    case 'fault':
      return ['fault', colors.red(event.text)];
    case 'observer': {
      const vote = event.vote === 'EVACUATE' ? colors.yellow(event.vote) : event.vote;
      return ['observer', `${event.region}: ${event.diagnosis} → ${vote}; ${event.comment}`];
    }
    case 'cell': {
      const { region, cell, finding, refusedBy } = event;
      if (finding === undefined) return ['cell', `${region}: nothing to say of ${cell} any more`];
      const held = refusedBy.length === 0 ? '' : `; held by ${refusedBy.join(', ')}`;
      return ['cell', `${region}: ${colors.bold(cell)} ${finding.kind}, ${finding.reason}${held}`];
    }
    case 'health':
      return [
        'check',
        `${event.check} is ${event.healthy ? colors.green('healthy') : colors.yellow('unhealthy')}`,
      ];
    case 'dns':
      return ['dns', `signal of ${event.cell} names ${colors.bold(event.region)}`];
    case 'switch':
      return ['switch', `${event.group} is ${colors.bold(event.position)} (epoch ${event.epoch})`];
    case 'puts':
      return ['puts', putsText(event)];
    case 'pace':
      return ['world', paceText(event.minute)];
    case 'note':
      return ['drill', event.text];
    default:
      return event satisfies never;
  }
}

function putsText({ perRegion, pending }: Extract<DrillEvent, { kind: 'puts' }>): string {
  const total = Object.values(perRegion).reduce((sum, n) => sum + n, 0);
  const shares = Object.entries(perRegion)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([region, n]) => `${region} ${total === 0 ? 0 : Math.round((100 * n) / total)} %`);
  const waiting = pending > 0 ? `, ${pending} waiting` : '';
  return total === 0
    ? `none acknowledged${waiting}`
    : `${total} acknowledged: ${shares.join(', ')}${waiting}`;
}
