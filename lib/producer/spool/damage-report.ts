import type { OnProblem } from './problem.ts';
import { type Quarantined, quarantineBytes, quarantineSegment } from './quarantine.ts';
import type { Damage } from './scan.ts';
import { segmentFileName } from './segment-format.ts';

/** Counts what was cut off and skipped, keeps copies of it, and reports it. Nothing here is fatal. */
export class DamageReport {
  readonly #directory: string;
  readonly #onProblem: OnProblem;
  tornBytes = 0;
  quarantinedRanges = 0;
  quarantinedBytes = 0;

  constructor(directory: string, onProblem: OnProblem) {
    this.#directory = directory;
    this.#onProblem = onProblem;
  }

  torn(segment: number, bytes: number): void {
    this.tornBytes += bytes;
    this.#onProblem({
      kind: 'tornTail',
      segment,
      bytes,
      message: `${segmentFileName(segment)} ended in ${bytes} bytes that were never acknowledged; they were cut off.`,
    });
  }

  async range(
    segment: number,
    { damage, bytes }: { readonly damage: Damage; readonly bytes: Buffer },
  ): Promise<void> {
    await this.#keep({ segment, ...damage }, () =>
      quarantineBytes(this.#directory, { segment, damage, bytes }),
    );
  }

  async whole(
    segment: number,
    { path, size }: { readonly path: string; readonly size: number },
  ): Promise<void> {
    await this.#keep({ segment, start: 0, end: size }, () =>
      quarantineSegment(this.#directory, { segment, path, size }),
    );
  }

  async #keep(
    { segment, start, end }: Damage & { readonly segment: number },
    copy: () => Promise<Quarantined>,
  ): Promise<void> {
    const bytes = end - start;
    this.quarantinedRanges++;
    this.quarantinedBytes += bytes;
    const where = `${segmentFileName(segment)} is damaged from byte ${start} to ${end}`;
    try {
      const { file } = await copy();
      const kept = file === undefined ? 'skipped; the quarantine is full' : `skipped, and kept in ${file}`;
      this.#onProblem({ kind: 'quarantined', segment, bytes, message: `${where}: ${kept}.` });
    } catch (cause) {
      const message = `${where}: skipped, but no copy could be kept.`;
      this.#onProblem({ kind: 'quarantineFailed', segment, bytes, message, cause });
    }
  }
}
