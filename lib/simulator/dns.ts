import { answer, type DnsAnswer } from '../route53/answer.ts';
import { HealthBoard, type HealthChange } from '../route53/health-board.ts';
import type { EndpointCheck } from '../route53/health-check.ts';
import { PublishedHealth } from '../route53/published-health.ts';
import { type Agenda, ranks } from './events.ts';
import { type Routing, regionName, signalName } from './routing.ts';

/** As in lib/route53/data-plane.ts: 16 checkers an endpoint, and 2 s from a status to the answers that follow it [inferred]. */
export const CHECKERS_PER_REGION = 2;
const PROPAGATION_MS = 2_000;

/** What DNS answers: for the region, and for the signal of each cell. */
export interface DnsAnswers {
  readonly region: DnsAnswer;
  readonly cells: Readonly<Record<string, DnsAnswer>>;
}

export interface DnsOptions {
  readonly routing: Routing;
  readonly cells: readonly string[];
  readonly agenda: Agenda;
  readonly onChange: (answers: DnsAnswers) => void;
}

/** Route 53 in virtual time, made of the same parts as the server of the drill. */
export class Dns {
  readonly board: HealthBoard;
  readonly #routing: Routing;
  readonly #agenda: Agenda;
  readonly #published = new PublishedHealth(PROPAGATION_MS);
  readonly #cells: readonly string[];
  readonly #onChange: (answers: DnsAnswers) => void;
  #pending = 0;
  answers: DnsAnswers;

  /**
   * Begins at rest: every checker has seen HOLD, often enough. A new inverted check would be unhealthy until then,
   * which is a matter of the deployment and not of an outage.
   */
  constructor({ routing, cells, agenda, onChange }: DnsOptions) {
    this.#routing = routing;
    this.#cells = cells;
    this.#agenda = agenda;
    this.#onChange = onChange;
    this.board = new HealthBoard(routing.checks, CHECKERS_PER_REGION);
    for (const check of routing.endpoints) {
      for (const checker of this.board.checkersOf(check)) {
        for (let n = 0; n < check.failureThreshold; n++) this.board.report(check.id, checker, false);
      }
    }
    this.#published.reset(routing.checks, (id) => this.board.isHealthy(id));
    this.answers = this.#askAll();
  }

  /** No change of a status is on its way to the answers. */
  get isSettled(): boolean {
    return this.#pending === 0;
  }

  report(check: EndpointCheck, checker: string, passed: boolean): readonly HealthChange[] {
    const { nowMs } = this.#agenda;
    const changes = this.board.report(check.id, checker, passed);
    for (const change of changes) this.#published.follow(change, nowMs);
    if (changes.length > 0) {
      this.#pending++;
      this.#agenda.at(nowMs + PROPAGATION_MS, { rank: ranks.dns, run: () => this.#follow() });
    }
    return changes;
  }

  #follow(): void {
    this.#pending--;
    this.answers = this.#askAll();
    this.#onChange(this.answers);
  }

  #askAll(): DnsAnswers {
    const cells = Object.fromEntries(this.#cells.map((cell) => [cell, this.#ask(signalName(cell))]));
    return { region: this.#ask(regionName), cells };
  }

  #ask(name: string): DnsAnswer {
    const { nowMs } = this.#agenda;
    // No set here has two members to choose between.
    const conditions = { isHealthy: (id: string) => this.#published.isHealthy(id, nowMs), random: () => 0 };
    return answer(this.#routing.zone, { name, type: 'TXT' }, conditions);
  }
}
