import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { type Instrumentable, logCalls } from './call-log.ts';

export interface CallLimits {
  /** Time for a connection, and then for the whole answer. */
  readonly timeoutMs: number;
  readonly maxSockets: number;
}

/**
 * Settings every client of the failover path shares. HTTP/1.1 with keep-alive: the SDK's default handler for Kinesis
 * opens a new TLS session for each call. One attempt: a retry inside the SDK would hide a failing probe and outlive
 * its time-out. `throwOnRequestTimeout`: without it the handler only logs a warning.
 */
export function clientSettings(region: string, limits: CallLimits) {
  const agent = { keepAlive: true, maxSockets: limits.maxSockets };
  return {
    region,
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
      connectionTimeout: limits.timeoutMs,
      requestTimeout: limits.timeoutMs,
      throwOnRequestTimeout: true,
    }),
  };
}

export interface ClientOptions extends CallLimits {
  readonly region: string;
  /** Name of the caller in the audit. */
  readonly who: string;
}

/** A client of the failover path. Its calls can be recorded: `CALL_LOG`. */
export function clientOf<Client extends Instrumentable>(
  Client: new (settings: ReturnType<typeof clientSettings>) => Client,
  { region, who, ...limits }: ClientOptions,
): Client {
  return logCalls(new Client(clientSettings(region, limits)), { region, who });
}
