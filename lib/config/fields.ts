import { z } from 'zod';
import { quote } from './errors.ts';
import { nearest } from './nearest.ts';

/**
 * Builders for the fields of the schema. Each field says what is wrong and what to write instead. A zod issue
 * has only one message, so both are joined in it; `splitMessage` takes them apart.
 */
const JOINT = '. Fix: ';

export const say = (problem: string, fix: string): string => `${problem}${JOINT}${fix}`;

export function splitMessage(message: string): { readonly problem: string; readonly fix: string } {
  // The last joint counts: the problem may quote what the user wrote, the fix never does.
  const at = message.lastIndexOf(JOINT);
  if (at === -1) return { problem: message, fix: 'Write a value that fits.' };
  return { problem: message.slice(0, at), fix: message.slice(at + JOINT.length) };
}

/** The most unknown keys listed: with more, the file is of another kind. */
const MAX_UNKNOWN_KEYS = 5;

const missing = (fix: string): string => say('is missing', fix);

/** An object that names an unknown key and the known one that was probably meant. */
export function object<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === 'unrecognized_keys') {
        const keys = (issue.keys as string[]).slice(0, MAX_UNKNOWN_KEYS);
        const meant = keys.flatMap((key) => nearest(key, known) ?? []);
        const fix =
          meant.length > 0 ? `Did you mean ${meant.join(', ')}?` : `Known keys: ${known.join(', ')}.`;
        return say(`has no key ${keys.map(quote).join(', ')}`, fix);
      }
      const fix = `Write an object with ${known.join(', ')}.`;
      return issue.input === undefined ? missing(fix) : say('is not an object', fix);
    },
  });
}

export function text(pattern: RegExp, what: string, fix: string) {
  return z
    .string({ error: (issue) => (issue.input === undefined ? missing(fix) : say('is not a string', fix)) })
    .regex(pattern, { error: (issue) => say(`${quote(issue.input)} is not ${what}`, fix) });
}

interface Range {
  readonly min: number;
  readonly max: number;
  readonly unit: string;
}

export function whole({ min, max, unit }: Range) {
  const error = say(
    `must be a whole number of ${unit} from ${min} to ${max}`,
    `Write a number of ${unit} in that range, or leave the key out for the default.`,
  );
  return z.int({ error }).min(min, { error }).max(max, { error }).optional();
}

export function between({ min, max, unit }: Range) {
  const error = say(
    `must be a ${unit} from ${min} to ${max}`,
    `Write a ${unit} in that range, or leave the key out for the default.`,
  );
  return z.number({ error }).min(min, { error }).max(max, { error }).optional();
}

export function oneOf<const Values extends readonly [string | number, ...(string | number)[]]>(
  values: Values,
) {
  const listed = values.map((value) => JSON.stringify(value)).join(' or ');
  return z.literal(values, {
    error: (issue) =>
      issue.input === undefined
        ? missing(`Write ${listed}.`)
        : say(`${quote(issue.input)} is not one of ${listed}`, `Write ${listed}.`),
  });
}

interface Count {
  readonly min: number;
  readonly max: number;
  readonly what: string;
}

export function list<Item extends z.ZodType>(item: Item, { min, max, what }: Count) {
  const fix = `List ${min} to ${max} ${what}.`;
  return z
    .array(item, {
      error: (issue) => (issue.input === undefined ? missing(fix) : say('is not a list', fix)),
    })
    .min(min, { error: say(`has fewer than ${min} ${what}`, fix) })
    .max(max, { error: say(`has more than ${max} ${what}`, fix) });
}

/** A field with one of two shapes; `what` completes "is neither ...". */
export function either<const Shapes extends readonly [z.ZodType, z.ZodType]>(
  shapes: Shapes,
  {
    what,
    fix,
  }: {
    readonly what: string;
    readonly fix: string;
  },
) {
  return z.union(shapes, {
    error: (issue) => (issue.input === undefined ? missing(fix) : say(`is neither ${what}`, fix)),
  });
}
