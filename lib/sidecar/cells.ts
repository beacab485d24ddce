import { existsSync } from 'node:fs';
import { parseStreamArn } from '../../lambda/core/stream-arn.ts';
import { OpenCell, spoolOf } from './cell.ts';
import type { SidecarEvent } from './events.ts';
import { KinesisError } from './kinesis-error.ts';
import type { SharedProducerOptions, SidecarCell } from './options.ts';
import type { StreamAsked } from './put-request.ts';

interface CellsOptions {
  readonly cells: readonly SidecarCell[];
  readonly producer: SharedProducerOptions;
  readonly maxCells: number;
  readonly tell: (event: SidecarEvent) => void;
}

/** The cells by the streams that clients name. A cell gets its producer when it is first written to. */
export class Cells {
  readonly #options: CellsOptions;
  readonly #open = new Map<string, OpenCell>();
  /** Cells by the names of their streams, in either region; undefined where two cells have the name. */
  readonly #byName = new Map<string, SidecarCell | undefined>();
  /** The one cell whose stream only its signal names, and the names seen so far. */
  readonly #bySignal: SidecarCell | undefined;
  readonly #signalled = new Set<string>();

  constructor(options: CellsOptions) {
    this.#options = options;
    for (const cell of options.cells) {
      for (const { name } of Object.values(cell.streams ?? {})) {
        const other = this.#byName.get(name);
        this.#byName.set(name, this.#byName.has(name) && other !== cell ? undefined : cell);
      }
    }
    this.#bySignal = options.cells.find(({ streams }) => streams === undefined);
  }

  get opened(): readonly OpenCell[] {
    return [...this.#open.values()];
  }

  /** Opens cells that have records on the disk, and the only one there is. @throws ProducerConfigError */
  openAtStart(): void {
    const { cells, producer } = this.#options;
    const { spoolDirectory } = producer;
    for (const cell of cells) {
      const hasSpool = spoolDirectory !== undefined && existsSync(spoolOf(spoolDirectory, cell.name));
      if (hasSpool || cells.length === 1) this.#opened(cell);
    }
  }

  /** @throws KinesisError for a stream that is no cell's */
  of(asked: StreamAsked): OpenCell {
    const cell = this.#find(asked);
    if (cell === undefined) throw unknownStream(asked);
    return this.#opened(cell);
  }

  byName(name: string): OpenCell | undefined {
    const cell = this.#options.cells.find((one) => one.name === name);
    return cell === undefined ? undefined : this.#opened(cell);
  }

  async close(timeoutMs: number): Promise<void> {
    await Promise.all(this.opened.map((cell) => cell.close(timeoutMs)));
  }

  #find({ name, arn }: StreamAsked): SidecarCell | undefined {
    if (arn === undefined) return this.#named(name as string);
    const parts = parseStreamArn(arn);
    if (parts === undefined) return undefined;
    if (name !== undefined && name !== parts.name) {
      throw new KinesisError(
        'InvalidArgumentException',
        'StreamName and StreamARN are of different streams.',
      );
    }
    const { region, account } = parts;
    const fits = (cell: SidecarCell): boolean => {
      if (!cell.regions.includes(region)) return false;
      if (cell.streams === undefined) return this.#isSignalled(parts.name);
      const stream = cell.streams[region];
      if (stream?.name !== parts.name) return false;
      // The account of a stream without an ARN is that of the sidecar's credentials.
      return stream.arn === undefined || parseStreamArn(stream.arn)?.account === account;
    };
    return this.#options.cells.find(fits);
  }

  #named(name: string): SidecarCell | undefined {
    const cell = this.#byName.get(name);
    if (cell !== undefined) return cell;
    if (this.#byName.has(name)) {
      throw new KinesisError(
        'InvalidArgumentException',
        `Two cells have a stream ${name}, in different regions: name it by its StreamARN.`,
      );
    }
    return this.#bySignal !== undefined && this.#isSignalled(name) ? this.#bySignal : undefined;
  }

  /** Whether the signal names this stream now, or has named it before. */
  #isSignalled(name: string): boolean {
    if (this.#bySignal === undefined) return false;
    const stream = this.#open.get(this.#bySignal.name)?.place?.stream;
    if (stream !== undefined) this.#signalled.add(stream);
    return this.#signalled.has(name);
  }

  #opened(cell: SidecarCell): OpenCell {
    const found = this.#open.get(cell.name);
    if (found !== undefined) return found;
    const { maxCells, producer, tell } = this.#options;
    if (this.#open.size >= maxCells) {
      throw new KinesisError(
        'LimitExceededException',
        `This sidecar writes to ${maxCells} cells at most: start another one for other streams.`,
      );
    }
    const opened = new OpenCell(cell, producer, tell);
    this.#open.set(cell.name, opened);
    return opened;
  }
}

function unknownStream({ name, arn }: StreamAsked): KinesisError {
  return new KinesisError(
    'ResourceNotFoundException',
    `Stream ${arn ?? name} is not one that this Spillway sidecar writes to: add it to the cells of its config.`,
  );
}
