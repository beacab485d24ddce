import { formatStreamArn, parseStreamArn, type StreamArn } from '../../lambda/core/stream-arn.ts';
import { RedirectError } from './middleware-errors.ts';
import type { StreamTarget } from './stream-target.ts';

/** How PutRecord and PutRecords name their stream: by name, by ARN, or both. */
export interface StreamAddress {
  readonly StreamName?: string | undefined;
  readonly StreamARN?: string | undefined;
}

export interface Redirection {
  /** Region of the client that was called. */
  readonly home: string;
  readonly region: string;
  /** The stream in the other region; undefined keeps the one that was asked for. */
  readonly to: StreamTarget | undefined;
}

/**
 * The same input, addressed to the stream of another region. An ARN keeps its partition and account, unless the target has an
 * ARN of its own.
 *
 * @throws RedirectError
 */
export function redirected<Input extends StreamAddress>(
  input: Input,
  { home, region, to }: Redirection,
): Input {
  if (to?.streamArn !== undefined) {
    const { StreamName: _name, ...others } = input;
    return { ...others, StreamARN: to.streamArn } as Input;
  }
  if (input.StreamARN === undefined) return { ...input, StreamName: to?.stream ?? input.StreamName };
  const asked = homeArn(input.StreamARN, home);
  const stream = to?.stream ?? asked.name;
  const StreamARN = formatStreamArn({ ...asked, region, name: stream });
  return input.StreamName === undefined
    ? { ...input, StreamARN }
    : { ...input, StreamARN, StreamName: stream };
}

/** The stream that was asked for. @throws RedirectError */
export function streamAsked({ StreamName, StreamARN }: StreamAddress, home: string): string {
  const name = StreamARN === undefined ? StreamName : homeArn(StreamARN, home).name;
  if (name === undefined) throw new RedirectError('The call names no stream: give `StreamName`.');
  return name;
}

/** The account that the call itself names. */
export function accountAsked({ StreamARN }: StreamAddress): string | undefined {
  return StreamARN === undefined ? undefined : parseStreamArn(StreamARN)?.account;
}

function homeArn(arn: string, home: string): StreamArn {
  const parts = parseStreamArn(arn);
  if (parts === undefined)
    throw new RedirectError(
      `${arn} is not the ARN of a stream: use \`StreamName\`, which names it in every region.`,
    );
  if (parts.region !== home) {
    throw new RedirectError(
      `${arn} is in ${parts.region}, but the client's region is ${home}: the signal decides the region. ` +
        'Use `StreamName`, or the ARN of the stream in the client’s own region.',
    );
  }
  return parts;
}
