import { type Command, InvalidArgumentError } from 'commander';
import type { ForeignClientName } from '../local/clients/foreign-client.ts';
import type { DrillAwsFlags } from './drill-aws.ts';
import { durationArgument } from './options.ts';

export interface DrillFlags extends DrillAwsFlags {
  readonly aws?: true;
  readonly scenario: string;
  readonly for?: number;
  readonly seed?: number;
  readonly killObserver?: string;
  readonly keep?: true;
  readonly failback?: true;
  readonly recovery?: number;
  readonly blackout?: string;
  /** Requests a second. */
  readonly flood?: number;
  readonly floodFor?: number;
  readonly waitForOther?: number;
  readonly anyway?: true;
  readonly upgrade?: string;
  readonly evacuated?: true;
  readonly client?: ForeignClientName;
}

/** Options that belong to one kind of drill only; an option in neither list belongs to both kinds. */
const localOnly = [
  'scenario',
  'for',
  'killObserver',
  'failback',
  'recovery',
  'blackout',
  'flood',
  'floodFor',
  'seed',
  'keep',
  'waitForOther',
  'anyway',
  'upgrade',
  'evacuated',
  'client',
] as const;
/** What an upgrade does not take: it plays a deployment, and no outage. */
const notWithUpgrade = [
  'scenario',
  'for',
  'killObserver',
  'failback',
  'recovery',
  'blackout',
  'flood',
  'floodFor',
  'keep',
  'client',
] as const;
const awsOnly = ['reason', 'owner', 'yes', 'dryRun', 'world', 'local', 'dns', 'schedule'] as const;

/**
 * The message about an option that this kind of drill would silently ignore; undefined when there is none.
 */
export function misplacedOption(command: Command, { aws }: { readonly aws: boolean }): string | undefined {
  const wrong = (aws ? localOnly : awsOnly).find((name) => command.getOptionValueSource(name) === 'cli');
  if (wrong === undefined) return undefined;
  const long = longOf(command, wrong);
  return aws
    ? `${long} is for the drill on this machine: --aws moves a deployed cell, and plays no outage.`
    : `${long} needs --aws: without it a drill builds a world of its own on this machine.`;
}

const longOf = (command: Command, name: string): string =>
  command.options.find((option) => option.attributeName() === name)?.long ?? `--${name}`;

/** The message about an option that a drill of a deployment would silently ignore. */
export function misplacedWithUpgrade(command: Command): string | undefined {
  const given = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
  if (!given('upgrade')) {
    return given('evacuated')
      ? '--evacuated belongs to --upgrade: an outage evacuates by itself.'
      : undefined;
  }
  const wrong = notWithUpgrade.find(given);
  if (wrong === undefined) return undefined;
  const long = longOf(command, wrong);
  return `${long} is for the drill of an outage: --upgrade plays a deployment.`;
}

export function lengthArgument(text: string): number {
  const ms = durationArgument(text);
  if (ms === 0)
    throw new InvalidArgumentError('A drill that takes no time shows nothing: write a duration like 90s.');
  return ms;
}

export function seedArgument(text: string): number {
  const seed = Number(text);
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new InvalidArgumentError('A seed is a whole number from 0.');
  return seed;
}
