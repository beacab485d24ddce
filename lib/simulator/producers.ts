import type { Delivery } from '../../lambda/core/policy.ts';
import type { Calls, KnownCall } from './calls.ts';
import { type Agenda, ranks } from './events.ts';
import { Dice, hash, seedFor, uniform } from './random.ts';

export interface ProducersOptions {
  readonly cell: string;
  /** Producers of other cells that are numbered before these. */
  readonly before: number;
  /** Where each producer runs. */
  readonly places: readonly string[];
  readonly regions: { readonly primary: string; readonly standby: string };
  readonly delivery: Delivery;
  readonly agenda: Agenda;
  readonly calls: Calls;
  readonly seed: number;
  /** The region that DNS names now, or undefined when this asker gets no answer. */
  readonly resolve: (source: string) => string | undefined;
  readonly onMoved: (move: { readonly producer: number; readonly region: string }) => void;
  /** Its first record since the move was taken. */
  readonly onPut: (put: { readonly producer: number; readonly region: string }) => void;
}

interface Producer {
  readonly index: number;
  readonly place: string;
  readonly seed: number;
  readonly phaseMs: number;
  readonly puts: Readonly<Record<string, KnownCall>>;
  region: string;
}

/** As in lib/producer: polls differ by a tenth; a failed put is tried again with full jitter, from 50 ms to 2 s. */
const POLL_JITTER = 0.1;
const RETRY_BASE_MS = 50;
const RETRY_MAX_MS = 2_000;
const MAX_RETRIES = 2_000;

/**
 * Producers of one cell that follow its signal through a cache. A poll within the TTL of the answer before it gets that answer
 * again, so only each n-th poll sees anything new. While they are where DNS points, nothing about them is computed.
 */
export class Producers {
  readonly #options: ProducersOptions;
  readonly #producers: readonly Producer[];
  /** Polls from one that asks DNS to the next that does. */
  readonly #stride: number;
  readonly #dice = new Dice();
  #generation = 0;

  constructor(options: ProducersOptions) {
    this.#options = options;
    const { delivery, regions, calls } = options;
    this.#stride = Math.max(1, Math.ceil((delivery.dnsTtlSeconds * 1_000) / delivery.producerPollMs));
    this.#producers = options.places.map((place, index) => {
      const seed = seedFor(options.seed, `producer ${options.cell}`, index);
      const put = (region: string): KnownCall =>
        calls.know({
          source: place,
          region,
          service: 'kinesis',
          operation: 'PutRecords',
          stream: options.cell,
          byProducer: true,
        });
      return {
        index,
        place,
        seed,
        phaseMs: Math.floor(uniform(hash(seed, 1)) * delivery.producerPollMs * this.#stride),
        puts: { [regions.primary]: put(regions.primary), [regions.standby]: put(regions.standby) },
        region: regions.primary,
      };
    });
  }

  /** DNS answers something else from now on. */
  look(): void {
    const generation = ++this.#generation;
    for (const producer of this.#producers) this.#poll(producer, generation);
  }

  #poll(producer: Producer, generation: number): void {
    const { agenda, delivery, onMoved } = this.#options;
    const periodMs = delivery.producerPollMs * this.#stride;
    let n = Math.floor((agenda.nowMs - producer.phaseMs) / periodMs) - 1;
    const timeOf = (poll: number): number =>
      Math.round(
        producer.phaseMs +
          poll * periodMs +
          POLL_JITTER * delivery.producerPollMs * (2 * uniform(hash(producer.seed, 2, poll)) - 1),
      );
    while (timeOf(n) <= agenda.nowMs) n++;
    agenda.at(timeOf(n), {
      rank: ranks.producer,
      index: this.#options.before + producer.index,
      run: () => {
        if (generation !== this.#generation) return;
        const region = this.#options.resolve(producer.place);
        // No answer: the last one stays in force, and the next poll asks again.
        if (region === undefined) return this.#poll(producer, generation);
        if (region === producer.region) return;
        producer.region = region;
        onMoved({ producer: producer.index, region });
        this.#put(producer, 0);
      },
    });
  }

  #put(producer: Producer, attempt: number): void {
    const { agenda, calls, onPut } = this.#options;
    const { region } = producer;
    const known = producer.puts[region];
    if (known === undefined || attempt > MAX_RETRIES) return;
    this.#dice.at(producer.seed, 3, agenda.nowMs);
    const { delayMs, failure } = calls.fate(known, agenda.nowMs, this.#dice.next);
    const pauseMs = this.#dice.next() * Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** Math.min(attempt, 20));
    const answeredMs = Math.round(known.latencyMs + delayMs + (failure === undefined ? 0 : pauseMs));
    agenda.at(agenda.nowMs + answeredMs, {
      rank: ranks.producer,
      index: this.#options.before + producer.index,
      run: () => {
        if (producer.region !== region) return;
        if (failure === undefined) onPut({ producer: producer.index, region });
        else this.#put(producer, attempt + 1);
      },
    });
  }
}
