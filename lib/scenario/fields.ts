import { z } from 'zod';
import { say } from '../config/fields.ts';
import { nearest } from '../config/nearest.ts';
import { regionNames } from '../config/regions.ts';
import { parseDuration } from './duration.ts';

// Fields that several parts of a scenario file have.

/** Places that every config has. */
export const roleNames: readonly string[] = ['*', 'primary', 'standby', 'witness'];

/** A duration as it is written; `parseDuration` reads it. */
export const duration = z
  .string({ error: say('is not a duration', 'Write a duration like 90s, 4h52m or 500ms.') })
  .superRefine((text, context) => {
    try {
      parseDuration(text);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      context.addIssue({
        code: 'custom',
        message: say(`is not usable: ${reason}`, 'Write a duration like 90s or 4h52m.'),
      });
    }
  })
  .meta({
    pattern: '^(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?(\\d+ms)?$',
    description: 'A duration: 90s, 4h52m, 500ms',
  });

const WRITE_FRACTION = 'Write a fraction from 0 to 1, or a percentage like 30%.';

const number = z
  .number({ error: say('is not a number', WRITE_FRACTION) })
  .min(0, say('is below 0', WRITE_FRACTION))
  .max(1, say('is above 1', WRITE_FRACTION));
const percentage = z
  .string({ error: say('is not a number', WRITE_FRACTION) })
  .regex(/^(?:100(?:\.0+)?|\d{1,2}(?:\.\d+)?) ?%$/, say('is not a share', WRITE_FRACTION))
  .transform((text) => Number.parseFloat(text) / 100);
/** 0.3, or 30%. */
export const fraction = z.union([number, percentage]);

const placeOf = (own: readonly string[]) =>
  z.string({ error: say('is not a text', 'Name a role, a region, or "*".') }).superRefine((name, context) => {
    const known = [...own, ...roleNames, ...regionNames];
    if (known.includes(name)) return;
    const near = nearest(name, known);
    const fix =
      near === undefined
        ? 'Write primary, standby, witness, a region like us-east-1, or "*".'
        : `Did you mean ${near}?`;
    context.addIssue({ code: 'custom', message: say('is neither a role nor a region of AWS', fix) });
  });

const REGION = '[a-z]{2}(?:-[a-z]+)+-\\d{1,2}';
export const place = placeOf([])
  .meta({ pattern: `^(?:\\*|primary|standby|witness|${REGION})$` })
  .describe('primary, standby, witness (every witness), a region, or "*"');

/** How a fault says that it is seen by producers, wherever they run, and by nobody else. */
export const PRODUCERS = 'producers';
export const sourcePlace = placeOf([PRODUCERS]).meta({
  pattern: `^(?:\\*|primary|standby|witness|producers|${REGION})$`,
});

export const cellName = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    say('is not the name of a cell', 'Write the name of a cell.'),
  );
export const MAX_CELLS_NAMED = 1_000;

/** Reads a duration as 0 when it is invalid: its own problem is reported already, and must not end the later checks. */
export function orZero(text: string): number {
  try {
    return parseDuration(text);
  } catch {
    return 0;
  }
}
