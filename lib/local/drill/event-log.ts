import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DrillEvent } from './events.ts';

/** In the run's directory: each event of the drill as one JSON object a line, for whoever looks afterwards. */
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
