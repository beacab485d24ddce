import type { PlannedCall } from '../operate/calls.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import { type Check, checkDocument, checkLines, exitOfCheck, isRefused } from './check.ts';
import type { Outcome } from './verb.ts';

export interface Plan {
  readonly calls: readonly PlannedCall[];
  /** The guards' answer, from real readings, for a verb that has guards. */
  readonly check?: Check | undefined;
  /** What is about to change, as it is shown before asking for consent. */
  readonly preview?: string | undefined;
  /** Print each call with its parameters; always so for a verb without guards, whose calls are few. */
  readonly verbose: boolean;
}

/** The outcome of a dry run: whether the act would start, what would change, and by which calls. */
export function planOutcome({ calls, check, preview, verbose }: Plan): Outcome {
  if (check === undefined) {
    const title = `Dry run: ${calls.length} calls, none of them made. Items that would be read first are shown as never set.`;
    return {
      exit: exitCodes.done,
      document: { ok: true, dryRun: true, calls },
      screen: [title, ...inFull(calls)].join('\n'),
    };
  }
  const title = `Dry run: ${calls.length} calls. Only those that ask the guards were made.`;
  return {
    exit: exitOfCheck(check),
    document: { ok: !isRefused(check), dryRun: true, check: checkDocument(check), calls },
    screen: [
      ...checkLines(check),
      '',
      ...(preview === undefined ? [] : [preview, '']),
      verbose ? title : `${title} For each call with its parameters, use --verbose or --json.`,
      ...(verbose ? inFull(calls) : inShort(calls)),
    ].join('\n'),
  };
}

const inFull = (calls: readonly PlannedCall[]): readonly string[] =>
  calls.flatMap(({ service, operation, region, parameters }) => [
    `${service} ${operation} in ${region}`,
    ...JSON.stringify(parameters, null, 2)
      .split('\n')
      .map((line) => `  ${line}`),
  ]);

/** One line for each operation, in the order in which it comes first. */
function inShort(calls: readonly PlannedCall[]): readonly string[] {
  const operations = Map.groupBy(calls, ({ service, operation }) => `${service} ${operation}`);
  return [...operations].map(([name, made]) => {
    const regions = [...Map.groupBy(made, ({ region }) => region)].map(([region, { length }]) =>
      length === 1 ? region : `${region} (${length} times)`,
    );
    return `  ${name} in ${regions.join(', ')}`;
  });
}
