import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const processedSchema = z.object({ id: z.string(), atMs: z.number() });
/** One record that a consumer has processed, once more for each time that it was given. */
export type Processed = Readonly<z.infer<typeof processedSchema>>;

/** What a consumer has written so far, in order; nothing while there is no file. A line that is being written is left out. */
export async function readLedger(file: string): Promise<readonly Processed[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole.split('\n').flatMap((line) => (line === '' ? [] : [processedSchema.parse(JSON.parse(line))]));
}
