import { isStreamName } from '../../lambda/core/signal.ts';
import { isAccountId, parseStreamArn } from '../../lambda/core/stream-arn.ts';
import { ProducerConfigError } from './errors.ts';
import { kindOf } from './kind-of.ts';
import { listOf, optional, type Rule, refuse, text } from './option-rules.ts';
import type { ProducerOptions } from './options.ts';
import type { StreamOptions } from './stream-target.ts';
import { arnProblem } from './wire/endpoint.ts';

const streamName: Rule = (value, name) => {
  if (typeof value === 'string' && value.startsWith('arn:'))
    throw new ProducerConfigError(
      `${name} is a name, not an ARN: give the ARN in \`streamArn\`, by its region.`,
    );
  return text('a name of 1 to 128 letters, digits, dots, dashes and underscores', isStreamName)(value, name);
};

/** The rules of the options that say which stream is written to. */
export const streamRules = {
  streamName: optional((value, name) =>
    typeof value === 'object' && value !== null ? streamPerRegion(value, name) : streamName(value, name),
  ),
  streamArn: optional(arnPerRegion),
  accounts: optional(listOf('a list of accounts', text('an account of twelve digits', isAccountId))),
} as const satisfies Record<keyof StreamOptions, Rule>;

type Streams = Pick<ProducerOptions, 'streamName' | 'streamArn' | 'regions'>;

function streamPerRegion(value: object, name: string): Readonly<Record<string, unknown>> {
  const names = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(names.map(([region, one]) => [region, streamName(one, `${name} in ${region}`)]));
}

function arnPerRegion(value: unknown, name: string): Readonly<Record<string, string>> {
  const wanted = 'an object with the ARN of a stream for each region';
  if (typeof value !== 'object' || value === null) return refuse(name, wanted, value);
  const arns = Object.entries(value).filter(([, arn]) => arn !== undefined);
  return Object.fromEntries(arns.map(([region, arn]) => [region, streamArnIn(region, { arn, name })]));
}

function streamArnIn(
  region: string,
  { arn, name }: { readonly arn: unknown; readonly name: string },
): string {
  const parts = typeof arn === 'string' ? parseStreamArn(arn) : undefined;
  const label = `${name} in ${region}`;
  if (parts === undefined) {
    const like = `arn:aws:kinesis:${region}:111122223333:stream/orders`;
    throw new ProducerConfigError(
      `${label} is the ARN of a Kinesis stream, like ${like}, not ${kindOf(arn)}.`,
    );
  }
  if (parts.region !== region)
    throw new ProducerConfigError(`${label} is in ${parts.region}: give the ARN of the stream in ${region}.`);
  const problem = arnProblem(region, arn as string);
  if (problem === undefined) return arn as string;
  throw new ProducerConfigError(`${label} is no ARN of a stream there: ${problem}`);
}

/** @throws ProducerConfigError for an ARN that would never be used, or that another option contradicts. */
export function assertArns({ streamArn = {}, streamName, regions }: Streams): void {
  for (const [region, arn] of Object.entries(streamArn)) {
    if (!regions.includes(region)) {
      throw new ProducerConfigError(`\`streamArn\` names ${region}, which is not one of \`regions\`.`);
    }
    const name = typeof streamName === 'string' ? streamName : streamName?.[region];
    if (name === undefined || name === parseStreamArn(arn)?.name) continue;
    throw new ProducerConfigError(
      `\`streamArn\` and \`streamName\` name two streams in ${region}: leave one of them out.`,
    );
  }
}
