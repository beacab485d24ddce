/** A stream's ARN, taken apart. */
export interface StreamArn {
  readonly partition: string;
  readonly region: string;
  /** Twelve digits. */
  readonly account: string;
  readonly name: string;
}

const pattern = /^arn:(aws[\w-]*):kinesis:([a-z0-9-]+):(\d{12}):stream\/([A-Za-z0-9_.-]{1,128})$/;
const accountPattern = /^\d{12}$/;

/** The parts of the ARN of a Kinesis stream; undefined for anything else, such as a consumer of a stream. */
export function parseStreamArn(text: string): StreamArn | undefined {
  const [, partition, region, account, name] = pattern.exec(text) ?? [];
  if (partition === undefined || region === undefined || account === undefined || name === undefined) {
    return undefined;
  }
  return { partition, region, account, name };
}

export const formatStreamArn = ({ partition, region, account, name }: StreamArn): string =>
  `arn:${partition}:kinesis:${region}:${account}:stream/${name}`;

export const isAccountId = (text: string): boolean => accountPattern.test(text);
