import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DrillEvent } from './events.ts';

/** File in the run's directory with each event of the drill, one JSON object per line, for later study. */
export const EVENTS_FILE = 'events.jsonl';

/**
 * Writes each event immediately, so that a drill that ends by SIGKILL leaves all that it saw. A full disk
 * does not end a drill.
 */
export function eventLog(directory: string): (event: DrillEvent) => void {
  const file = join(directory, EVENTS_FILE);
  return (event) => {
    try {
      appendFileSync(file, `${JSON.stringify(event)}\n`);
    } catch {}
  };
}
