import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { type CostEstimate, type CostLine, estimate } from '../operate/cost.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import type { Io } from './io.ts';
import { type OutputFlags, withJson } from './options.ts';
import { table } from './table.ts';
import { perform } from './verb.ts';

interface CostFlags extends OutputFlags {
  readonly config?: string;
}

/**
 * `spillway cost`: computes what the config costs a month, from a dated table of list prices. Makes no call.
 */
export function costCommand(io: Io): Command {
  return withJson(
    new Command('cost').description('Compute what this config costs a month at list prices. Makes no call.'),
  )
    .option('--config <file>', 'the config (default: spillway.config.ts or .json here)')
    .addHelpText('after', '\nExample:\n  spillway cost --config spillway.config.ts')
    .action((flags: CostFlags) =>
      perform(io, flags, async () => {
        const file = flags.config === undefined ? {} : { file: flags.config };
        const found = estimate(await loadConfig({ directory: io.directory, ...file }));
        return {
          exit: exitCodes.done,
          document: { ok: true, ...found },
          screen: costScreen(found, io.columns),
        };
      }),
    );
}

const dollars = (usd: number): string => `$${usd.toFixed(2)}`;

export function costScreen(estimate: CostEstimate, columns: number): string {
  const { asOf, lines, usd, streams, beside, notCounted } = estimate;
  const rowsOf = (some: readonly CostLine[]): readonly string[][] =>
    some.map(({ resource, usd: each, how }) => [resource, dollars(each).padStart(10), how]);
  const part = (title: string, some: readonly CostLine[]): readonly string[] =>
    some.length === 0
      ? []
      : ['', title, table(['', '          ', ''], rowsOf(some), { columns }).trimStart()];
  return [
    table(['a month', '       USD', 'how'], [...rowsOf(lines), ['together', dollars(usd).padStart(10), '']], {
      columns,
    }),
    ...part('your own streams, as far as Spillway creates them:', streams),
    ...part('for comparison:', beside),
    '',
    `List prices of us-east-1, ${asOf}; an estimate, not a bill. Not counted: ${notCounted.join('; ')}.`,
  ].join('\n');
}
