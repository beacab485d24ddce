/** One record of the application: its life (the process, from 1) and its sequence number within key and life. */
export interface RecordName {
  readonly key: string;
  readonly life: number;
  readonly sequence: number;
}

export function nameToText({ key, life, sequence }: RecordName): string {
  return `${key} ${life} ${sequence}`;
}

const nameText = /^(\S+) (\d+) (\d+)$/;

export function nameFromText(text: string): RecordName {
  const [, key = '', life, sequence] = nameText.exec(text) ?? [];
  if (key === '') throw new Error(`Not a record of this test: ${JSON.stringify(text.slice(0, 80))}`);
  return { key, life: Number(life), sequence: Number(sequence) };
}

/** Records what was promised, what was found, and in which order. */
export class Ledger {
  readonly #acknowledged = new Set<string>();
  readonly #found = new Set<string>();
  readonly #lastOfKey = new Map<string, RecordName>();
  duplicates = 0;
  /** First occurrences that came after a later record of their key. */
  reordered = 0;

  /** Notes that the application was told that this record is safe, and reported it. */
  acknowledge(text: string): void {
    this.#acknowledged.add(text);
  }

  /**
   * Notes that the record was found in the stream, or afterwards in the spool. Call in the order of the
   * records.
   */
  find(text: string): void {
    if (this.#found.has(text)) {
      this.duplicates++;
      return;
    }
    this.#found.add(text);
    const name = nameFromText(text);
    const last = this.#lastOfKey.get(name.key);
    if (last !== undefined && (name.life - last.life || name.sequence - last.sequence) < 0) this.reordered++;
    else this.#lastOfKey.set(name.key, name);
  }

  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  lost(): readonly string[] {
    return [...this.#acknowledged.difference(this.#found)];
  }
}
