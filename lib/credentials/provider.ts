import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { classifyError, errorClasses } from '../../lambda/core/probe.ts';
import { clientSettings } from '../aws/clients.ts';
import { NoCredentialsError, NoSuchProfileError, ProviderTimeoutError } from './errors.ts';

type Provider = ReturnType<typeof defaultProvider>;
export type Identity = Awaited<ReturnType<Provider>>;

export interface ProviderOptions {
  /** The region in which roles are assumed, so that reaching this region depends on no other region. */
  readonly region: string;
  /** `AWS_PROFILE`, for the message when the profile gives no credentials. */
  readonly profile?: string | undefined;
  /**
   * Longest wait for the whole chain. Default 10,000: a process that asks for a person's session takes
   * seconds.
   */
  readonly timeoutMs?: number;
  /** Default: the SDK's chain. */
  readonly provide?: () => Promise<Identity>;
}

const PROVIDER_TIMEOUT_MS = 10_000;
/**
 * Time-out of one question to a metadata service, of which there are two in a row. On a laptop there is no
 * such service, and the SDK's own time-out of a second each would be most of the time that a region gets.
 */
const METADATA_TIMEOUT_MS = 600;
/** Time-out of STS in the region, and of the sign-in portal. */
const CALL_TIMEOUT_MS = 1_500;
const MAX_SOCKETS = 2;
/**
 * How long a failure is remembered: one command asks from many places, and a chain that has just failed fails
 * again, as slowly.
 */
const FAILED_FOR_MS = 5_000;

/**
 * Provides credentials for one region. They are fetched once for all clients, and apart from the calls that
 * they are for, so that a slow or empty provider is not taken for a region that does not answer.
 *
 * @throws NoCredentialsError when the source of the credentials failed. A failure of STS in the region itself
 *   (time-outs, 5xx) is thrown as it is, because it is the region's.
 */
export function regionCredentials(options: ProviderOptions): () => Promise<Identity> {
  const provide = options.provide ?? chainFor(options.region);
  let asked: Promise<Identity> | undefined;
  return () => {
    if (asked !== undefined) return asked;
    const asking = limited(provide, options);
    asked = asking;
    asking.then(
      // From here on the chain itself remembers the credentials, and renews them in time.
      () => {
        asked = undefined;
      },
      () => {
        setTimeout(() => {
          asked = undefined;
        }, FAILED_FOR_MS).unref();
      },
    );
    return asking;
  };
}

function chainFor(region: string): Provider {
  const { requestHandler, maxAttempts } = clientSettings(region, {
    timeoutMs: CALL_TIMEOUT_MS,
    maxSockets: MAX_SOCKETS,
  });
  return defaultProvider({
    timeout: METADATA_TIMEOUT_MS,
    maxRetries: 0,
    // No region is given here, because the sign-in portal has its own.
    clientConfig: { requestHandler, maxAttempts },
    parentClientConfig: { region },
  });
}

async function limited(
  provide: () => Promise<Identity>,
  { timeoutMs = PROVIDER_TIMEOUT_MS, profile }: ProviderOptions,
): Promise<Identity> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new ProviderTimeoutError(`no credentials within ${timeoutMs / 1_000} s`)),
    timeoutMs,
  );
  try {
    return await Promise.race([provide(), late]);
  } catch (error) {
    throw explained(error, profile);
  } finally {
    clearTimeout(timer);
  }
}

function explained(error: unknown, profile: string | undefined): unknown {
  const { name = 'Error', message = '' } = error instanceof Error ? error : {};
  const { code, $metadata } = error as { code?: string; $metadata?: { httpStatusCode?: number } };
  const errorClass = classifyError({ name, code, status: $metadata?.httpStatusCode });
  if (errorClasses[errorClass].evidence) return error;
  const empty = profile !== undefined && /from any providers/.test(message);
  const cause = empty
    ? new NoSuchProfileError(`the profile "${profile}" does not exist, or holds no credentials`)
    : error;
  return new NoCredentialsError('There are no credentials to ask AWS with.', { cause });
}
