import { RedirectError } from './middleware-errors.ts';

/** How PutRecord and PutRecords name their stream: by name, by ARN, or both. */
export interface StreamAddress {
  readonly StreamName?: string | undefined;
  readonly StreamARN?: string | undefined;
}

export interface Redirection {
  /** Region of the client that was called. */
  readonly home: string;
  readonly region: string;
  /** The stream's name in the other region; undefined keeps the name that was asked for. */
  readonly stream: string | undefined;
}

const arnPattern = /^arn:(aws[\w-]*):kinesis:([a-z0-9-]+):(\d{12}):stream\/([A-Za-z0-9_.-]{1,128})$/;

/**
 * The same input, addressed to the stream of another region. An ARN keeps its partition and account.
 *
 * @throws RedirectError
 */
export function redirected<Input extends StreamAddress>(input: Input, to: Redirection): Input {
  if (input.StreamARN === undefined) return { ...input, StreamName: to.stream ?? input.StreamName };
  const [, partition, , account, name] = homeArn(input.StreamARN, to.home);
  const stream = to.stream ?? name;
  const StreamARN = `arn:${partition}:kinesis:${to.region}:${account}:stream/${stream}`;
  return input.StreamName === undefined
    ? { ...input, StreamARN }
    : { ...input, StreamARN, StreamName: stream };
}

/** The stream that was asked for. @throws RedirectError */
export function streamAsked({ StreamName, StreamARN }: StreamAddress, home: string): string {
  const name = StreamARN === undefined ? StreamName : homeArn(StreamARN, home)[4];
  if (name === undefined) throw new RedirectError('The call names no stream: give `StreamName`.');
  return name;
}

function homeArn(arn: string, home: string): readonly (string | undefined)[] {
  const parts = arnPattern.exec(arn);
  if (parts === null)
    throw new RedirectError(
      `${arn} is not the ARN of a stream: use \`StreamName\`, which names it in every region.`,
    );
  if (parts[2] !== home) {
    throw new RedirectError(
      `${arn} is in ${parts[2]}, but the client's region is ${home}: the signal decides the region. ` +
        'Use `StreamName`, or the ARN of the stream in the client’s own region.',
    );
  }
  return parts;
}
