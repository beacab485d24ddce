import type { z } from 'zod';
import { UnansweredError } from '../../operate/errors.ts';
import type { World } from '../../operate/world.ts';

const TIMEOUT_MS = 5_000;

/** Asks a kept world for an act. @throws UnansweredError when the world does not carry out the act */
export async function askWorld<T>(
  { control, file }: Pick<World, 'control' | 'file'>,
  { path, by, schema }: { readonly path: string; readonly by: string; readonly schema: z.ZodType<T> },
): Promise<T> {
  if (control === undefined) {
    throw new UnansweredError(
      `${file} names no control address: its drill does not keep a world, or is of an older version.`,
    );
  }
  try {
    const response = await fetch(new URL(path, control.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${control.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ by }),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) throw new Error(`the drill answered ${response.status}`);
    return schema.parse(await response.json());
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UnansweredError(
      `The drill that keeps the world of ${file} does not answer (${why}): check whether that drill still runs.`,
      { cause },
    );
  }
}
