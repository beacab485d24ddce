import { ConsumerConfigError } from './errors.ts';

/** Named by no type that applications see: it need not be installed. */
type Sdk = typeof import('@aws-sdk/client-dynamodb');
let loading: Promise<Sdk | undefined> | undefined;

/** The application's SDK, for its commands; both kinds of client take them. @throws ConsumerConfigError */
export async function dynamoCommands(): Promise<Sdk> {
  loading ??= import('@aws-sdk/client-dynamodb').then(
    (sdk) => sdk,
    () => undefined,
  );
  const sdk = await loading;
  if (sdk !== undefined) return sdk;
  throw new ConsumerConfigError(
    'DynamoSeenStore needs the package @aws-sdk/client-dynamodb: npm install @aws-sdk/client-dynamodb.',
  );
}
