import {
  type KinesisClient,
  PutRecordCommand,
  type PutRecordCommandInput,
  PutRecordsCommand,
  type PutRecordsCommandInput,
  type ServiceOutputTypes,
} from '@aws-sdk/client-kinesis';
import { CurrentSignal } from './current-signal.ts';
import { ProducerConfigError } from './errors.ts';
import { RedirectError } from './middleware-errors.ts';
import type { ProducerOptions } from './options.ts';
import { streamOf } from './pin.ts';
import { redirected, streamAsked } from './redirect.ts';
import { RegionalClients } from './regional-clients.ts';

export interface FollowSignalOptions
  extends Pick<ProducerOptions, 'signal' | 'regions' | 'streamName' | 'endpoint'> {
  /** Longest wait of a call for the first signal, in milliseconds. Default 5,000. */
  readonly firstSignalTimeoutMs?: number;
  /**
   * Makes the client of a region; it is destroyed by `close`. Default: one that shares the given client's credentials, request
   * handler, attempts, retry mode, FIPS and dual-stack settings. Give it when calls need middleware or a retry strategy of your own, or
   * when credentials are fetched from the client's own region, which is the one that fails.
   */
  readonly createClient?: (region: string) => KinesisClient;
  /** DNS failed or lied, and the last good signal stays in force; or the resolver keeps answers beyond their TTL, told once. */
  readonly onProblem?: (problem: string) => void;
}

export interface FollowedClient {
  /** Stops following; the client then writes to its own region again. */
  close(): void;
}

const MIDDLEWARE = 'spillwayFollowSignal';

/**
 * Sends the PutRecord and PutRecords calls of a KinesisClient to the region and stream of the signal; other operations are left alone.
 * All of these calls must be for one stream, the cell's. A call is sent to one region with all its attempts, then fails
 * as it would without Spillway: nothing is buffered or ordered, which is what FailoverProducer is for.
 *
 * A call is handed to a client of its own for each region. Changing the request instead would mean to change its endpoint, its signing
 * region and its stream in three later steps whose context keys the SDK does not document; a client's region is public API.
 *
 * @throws ProducerConfigError
 */
export function followSignal(client: KinesisClient, options: FollowSignalOptions): FollowedClient {
  if (options.regions.length === 0) throw new ProducerConfigError('Name at least one region in `regions`.');
  if (
    client.config.isCustomEndpoint === true &&
    options.endpoint === undefined &&
    options.createClient === undefined
  ) {
    throw new ProducerConfigError(
      'The client has an endpoint of its own, which is in one region only: give `endpoint`, which tells that of each region.',
    );
  }
  const clients = new RegionalClients(client, options);
  const signals = new CurrentSignal(options);
  let stream: string | undefined;
  const bind = (asked: string): void => {
    stream ??= asked;
    if (stream === asked) return;
    throw new RedirectError(
      `The client writes to ${stream} and to ${asked}, but the signal is for one stream: use a client for each.`,
    );
  };
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const send = senders[context.commandName ?? ''];
      if (send === undefined) return next(args);
      const input = args.input as PutInput;
      const home = await client.config.region();
      bind(streamAsked(input, home));
      const signal = await signals.get();
      const { region } = signal;
      const target = redirected(input, { home, region, stream: streamOf(options, signal) });
      return { output: await send(clients.of(region), target, abortSignalOf(context)), response: undefined };
    },
    { step: 'initialize', name: MIDDLEWARE, priority: 'low' },
  );
  return {
    close: () => {
      client.middlewareStack.remove(MIDDLEWARE);
      signals.close();
      clients.close();
    },
  };
}

type PutInput = PutRecordCommandInput | PutRecordsCommandInput;
type Send = (
  client: KinesisClient,
  input: PutInput,
  abortSignal: AbortSignal | undefined,
) => Promise<ServiceOutputTypes>;

const senders: Readonly<Record<string, Send>> = {
  PutRecordCommand: (client, input, abortSignal) =>
    client.send(new PutRecordCommand(input as PutRecordCommandInput), abortSignal ? { abortSignal } : {}),
  PutRecordsCommand: (client, input, abortSignal) =>
    client.send(new PutRecordsCommand(input as PutRecordsCommandInput), abortSignal ? { abortSignal } : {}),
};

/** Undocumented; were it to go, a call would still end by the time-outs of its request handler. */
function abortSignalOf(context: object): AbortSignal | undefined {
  const smithy = (context as { __smithy_context?: { abortSignal?: unknown } }).__smithy_context;
  return smithy?.abortSignal instanceof AbortSignal ? smithy.abortSignal : undefined;
}
