import { ProducerConfigError } from './errors.ts';
import { kindOf } from './kind-of.ts';

/**
 * Checks a value and returns it in the form to use, which a getter cannot change any more.
 *
 * @throws ProducerConfigError
 */
export type Rule = (value: unknown, name: string) => unknown;

/** Longest timer: Node fires a timer of more milliseconds immediately. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Reads each option that has a rule once; leaves out other options and those that are undefined.
 *
 * @throws ProducerConfigError
 */
export function readOptions(
  given: unknown,
  {
    rules,
    name,
    prefix = '',
  }: { readonly rules: Readonly<Record<string, Rule>>; readonly name: string; readonly prefix?: string },
): Readonly<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null) {
    throw new ProducerConfigError(`${name} are an object, not ${kindOf(given)}.`);
  }
  const read: Record<string, unknown> = {};
  for (const [key, rule] of Object.entries(rules)) {
    const label = `\`${prefix}${key}\``;
    const value = guarded(label, () => rule((given as Record<string, unknown>)[key], label));
    if (value !== undefined) read[key] = value;
  }
  return read;
}

/** Reads an option; an option that throws is invalid. @throws ProducerConfigError */
export function guarded<Value>(name: string, read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof ProducerConfigError) throw cause;
    throw new ProducerConfigError(`${name} cannot be used: \`cause\` is what it threw.`, { cause });
  }
}

export const optional =
  (rule: Rule): Rule =>
  (value, name) =>
    value === undefined ? undefined : rule(value, name);

export const oneOf = (...values: readonly (string | boolean)[]): Rule =>
  rule(`one of ${values.map((value) => JSON.stringify(value)).join(', ')}`, (value) =>
    values.includes(value as string),
  );

/** Rule for a whole number; `why` explains the maximum. */
export const whole = ({
  least,
  most = Number.MAX_SAFE_INTEGER,
  why,
}: {
  readonly least: number;
  readonly most?: number;
  readonly why?: string;
}): Rule => {
  const upTo = most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}${why === undefined ? '' : `, ${why}`}`;
  return rule(
    `a whole number from ${least}${upTo}`,
    (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
  );
};

/** Rule for the milliseconds of a timer. */
export const timerMs = (least: number): Rule =>
  whole({ least, most: MAX_TIMER_MS, why: 'the longest a timer can wait' });

export const text = (wanted: string, holds: (text: string) => boolean = (given) => given !== ''): Rule =>
  rule(wanted, (value) => typeof value === 'string' && holds(value));

export const callback = (wanted: string): Rule => rule(wanted, (value) => typeof value === 'function');

/** Rule for a list that is not empty; copies it. */
export const listOf =
  (wanted: string, item: Rule): Rule =>
  (value, name) => {
    if (!Array.isArray(value) || value.length === 0) refuse(name, wanted, value);
    return Array.from(value as readonly unknown[], (one, n) => item(one, `${name} [${n}]`));
  };

export function rule(wanted: string, holds: (value: unknown) => boolean): Rule {
  return (value, name) => (holds(value) ? value : refuse(name, wanted, value));
}

export function refuse(name: string, wanted: string, value: unknown): never {
  throw new ProducerConfigError(`${name} is ${wanted}, not ${kindOf(value)}.`);
}
