import { extname } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { LineCounter, parseDocument } from 'yaml';
import type { Policy } from '../../lambda/core/policy.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/errors.ts';
import { loadConfig } from '../config/load.ts';
import { parseConfig } from '../config/parse.ts';
import { configSchema } from '../config/schema.ts';
import { SmallFileError } from '../files/errors.ts';
import { readSmallFile } from '../files/small-file.ts';
import { policyOverride } from '../scenario/policy.ts';
import { type SimulatedSystem, systemOf } from '../simulator/system.ts';

const MAX_POLICY_BYTES = 256 * 1024;
const MAX_SEED = 2 ** 31 - 1;
const MAX_SEEDS = 1_000_000;

/** A range of seeds; both ends belong to it. */
export interface SeedRange {
  readonly from: number;
  readonly to: number;
}

export const countOf = ({ from, to }: SeedRange): number => to - from + 1;

/** Reads `A..B`, or `N` for one seed. */
export function seedsArgument(text: string): SeedRange {
  const [, first, last] = /^(\d{1,10})(?:\.\.(\d{1,10}))?$/.exec(text) ?? [];
  if (first === undefined) throw new InvalidArgumentError('Write seeds like 1..200, or one number.');
  const range = { from: Number(first), to: Number(last ?? first) };
  if (range.to > MAX_SEED) throw new InvalidArgumentError(`Seeds go from 0 to ${MAX_SEED}.`);
  if (range.to < range.from)
    throw new InvalidArgumentError(`${text} runs backwards: write the smaller seed first.`);
  if (countOf(range) > MAX_SEEDS) throw new InvalidArgumentError(`At most ${MAX_SEEDS} seeds at a time.`);
  return range;
}

/** An argument that is a whole number from 1 to `max`. */
export const countArgument =
  (what: string, max: number) =>
  (text: string): number => {
    const count = /^\d{1,10}$/.test(text) ? Number(text) : 0;
    if (count >= 1 && count <= max) return count;
    throw new InvalidArgumentError(`Write a whole number of ${what} from 1 to ${max}.`);
  };

export interface SystemSource {
  readonly directory: string;
  readonly config?: string;
  readonly policy?: string;
}

/**
 * Loads what is to be simulated: the config's regions, policy and delivery, overridden by those of the policy
 * file.
 *
 * @throws ConfigError when a file cannot be used.
 */
export async function loadSystem({ directory, config, policy }: SystemSource): Promise<SimulatedSystem> {
  const given = policy === undefined ? undefined : await readPolicy(policy, directory);
  if (given !== undefined && given.complete !== undefined) return systemOf(given.complete);
  const base = await loadConfig({ directory, ...(config === undefined ? {} : { file: config }) });
  return systemOf(given === undefined ? base : over(base, given));
}

interface PolicyFile {
  readonly file: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** The file has the keys of a config, not those of its `policy`. */
  readonly isConfig: boolean;
  /** Set when the file is a whole config, which needs no other config. */
  readonly complete?: Config;
}

async function readPolicy(file: string, directory: string): Promise<PolicyFile> {
  if (['.ts', '.mts'].includes(extname(file))) {
    return { file, input: {}, isConfig: true, complete: await loadConfig({ directory, file }) };
  }
  const input = await readData(file);
  const isConfig = hasConfigKeys(input);
  const whole = isConfig && 'name' in input && 'zone' in input && 'cells' in input;
  return { file, input, isConfig, ...(whole && { complete: parseConfig(input, file) }) };
}

/** `beacons` is a key of a config and of its policy: alone, its value tells which of the two is meant. */
function hasConfigKeys(input: Readonly<Record<string, unknown>>): boolean {
  const keys = Object.keys(input);
  const shared = keys.filter((key) => key in configSchema.shape && key in policyOverride.shape);
  if (keys.length > shared.length)
    return keys.some((key) => key in configSchema.shape && !shared.includes(key));
  return shared.length > 0 && configSchema.pick({ beacons: true }).safeParse(input).success;
}

/**
 * Lays the file's values over a config. The result is checked as a config, so that relations between the
 * file's values and the others are checked as well.
 */
function over(base: Config, { file, input, isConfig }: PolicyFile): Config {
  const given: Readonly<Record<string, unknown>> = isConfig ? input : { policy: input };
  // With other regions, K has another default.
  const { votesToEvacuate: _, ...rest } = base.policy;
  // A policy that lets producers move their cell is tried out with the table in which they would report.
  const needsTable = !isConfig && input.beacons === ('move' satisfies Policy['beacons']);
  const beacons = base.beacons ?? (needsTable ? true : undefined);
  const merged = {
    name: 'simulated',
    ...(beacons === undefined ? {} : { beacons }),
    zone: { id: 'Z0', name: 'simulated.example' },
    cells: base.cells.map(({ name, group, probe, mode }) => ({
      name,
      group,
      stream: name,
      probe,
      ...(mode && { mode }),
    })),
    ...given,
    regions: given.regions ?? base.regions,
    delivery: merge(base.delivery, given.delivery),
    policy: merge(given.regions === undefined ? base.policy : rest, given.policy),
  };
  try {
    return parseConfig(merged, file);
  } catch (error) {
    if (!(error instanceof ConfigError) || isConfig) throw error;
    // As the user wrote it: the file has no `policy` around its keys.
    const problems = error.problems.map(({ path, ...what }) => ({
      path: path.replace(/^policy\.?/, ''),
      ...what,
    }));
    throw new ConfigError(file, problems, { cause: error });
  }
}

/** Merges two objects. A value that is no object is left for the schema to refuse. */
function merge(base: object, given: unknown): unknown {
  if (given === undefined) return base;
  return isRecord(given) ? { ...base, ...given } : given;
}

async function readData(file: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readBounded(file);
  const lines = new LineCounter();
  // JSON is read as the YAML it is.
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    prettyErrors: false,
    lineCounter: lines,
  });
  const [error] = [...document.errors, ...document.warnings];
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw fault(
      file,
      `is not YAML or JSON at line ${line}, column ${col}: ${error.message}`,
      'Correct that place.',
    );
  }
  let input: unknown;
  try {
    input = document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw fault(file, 'has aliases, which a policy must not have', 'Write the values out.', { cause });
  }
  if (isRecord(input)) return input;
  throw fault(file, 'is not a policy', 'Write settings like impairedFailureRate: 0.3, or a config file.');
}

async function readBounded(file: string): Promise<string> {
  try {
    return await readSmallFile(file, {
      maxBytes: MAX_POLICY_BYTES,
      nameInstead: 'Name a YAML or JSON file, or a .ts config.',
      tooLarge: 'Check that this is the right file.',
    });
  } catch (cause) {
    if (!(cause instanceof SmallFileError)) throw cause;
    throw fault(file, cause.problem, cause.fix, { cause });
  }
}

const fault = (file: string, problem: string, fix: string, options?: ErrorOptions): ConfigError =>
  new ConfigError(file, [{ path: '', problem, fix }], options);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
