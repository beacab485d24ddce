import {
  type KinesisClient,
  PutRecordCommand,
  type PutRecordCommandInput,
  PutRecordsCommand,
  type PutRecordsCommandInput,
  type ServiceOutputTypes,
} from '@aws-sdk/client-kinesis';
import type { Signal } from '../../lambda/core/signal.ts';
import { reported } from './beacons/reported-call.ts';
import { reporterOf } from './beacons/reporter-choice.ts';
import { checkedFollowOptions } from './checked-options.ts';
import { CurrentSignal } from './current-signal.ts';
import { endpointProblem } from './endpoint-problem.ts';
import { ProducerConfigError } from './errors.ts';
import type { FollowSignalOptions } from './follow-options.ts';
import { RedirectError } from './middleware-errors.ts';
import { guarded } from './option-rules.ts';
import { checkedInput, type PutCommand, type PutInput, plainInput } from './put-input.ts';
import { accountAsked, redirected, streamAsked } from './redirect.ts';
import { RegionalClients } from './regional-clients.ts';
import { type StreamTarget, targetOf, targetProblem } from './stream-target.ts';

export type { FollowSignalOptions } from './follow-options.ts';

export interface FollowedClient {
  /** Stops following; the client then writes to its own region again. */
  close(): void;
}

const READ_MIDDLEWARE = 'spillwayReadInput';
const MIDDLEWARE = 'spillwayFollowSignal';

/**
 * Sends the PutRecord and PutRecords calls of a KinesisClient to the region and stream of the signal; other operations are left alone.
 * All of these calls must be for one stream, the cell's. A call is sent to one region with all its attempts, then fails
 * as it would without Spillway: nothing is buffered or ordered, which is what FailoverProducer is for. One with an ill-typed
 * field fails with RecordError before anything is waited for or sent, and the others are not touched.
 *
 * A call is handed to a client of its own for each region. Changing the request instead would mean to change its endpoint, its signing
 * region and its stream in three later steps whose context keys the SDK does not document; a client's region is public API.
 *
 * @throws ProducerConfigError
 */
export function followSignal(client: KinesisClient, given: FollowSignalOptions): FollowedClient {
  const options = checkedFollowOptions(given);
  assertClient(client);
  if (
    client.config.isCustomEndpoint === true &&
    options.endpoint === undefined &&
    options.createClient === undefined
  ) {
    throw new ProducerConfigError(
      'The client has an endpoint of its own, which is in one region only: give `endpoint`, which tells that of each region.',
    );
  }
  if (options.createClient === undefined) {
    // Only the client's own handler knows which proxy it asks.
    void endpointProblem({ ...options, proxy: 'none' }).then((problem) => {
      if (problem !== undefined) options.onProblem?.(problem);
    });
  }
  const clients = new RegionalClients(client, options);
  const signals = new CurrentSignal(options);
  const beacons = reporterOf({ ...options, credentials: client.config.credentials }, (problem) =>
    options.onProblem?.(problem),
  );
  let stream: string | undefined;
  const bind = (asked: string): void => {
    stream ??= asked;
    if (stream === asked) return;
    throw new RedirectError(
      `The client writes to ${stream} and to ${asked}, but the signal is for one stream: use a client for each.`,
    );
  };
  // Outermost, so that the SDK's own logger does not see what fails here: it would run the getters of the
  // input again.
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const command = putCommandOf(context);
      if (command === undefined) return next(args);
      return next({ ...args, input: plainInput(args.input, command) as PutInput });
    },
    { step: 'initialize', name: READ_MIDDLEWARE, priority: 'high' },
  );
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const command = putCommandOf(context);
      if (command === undefined) return next(args);
      const input = checkedInput(args.input, command);
      const home = await client.config.region();
      bind(streamAsked(input, home));
      const signal = await signals.get();
      const { region } = signal;
      const target = redirected(input, { home, region, to: targetFor(input, { options, signal }) });
      const abortSignal = abortSignalOf(context);
      const send = (): Promise<ServiceOutputTypes> =>
        senders[command](clients.of(region), target, abortSignal);
      const output =
        beacons === undefined ? await send() : await reported(send, { beacons, region, target, abortSignal });
      return { output, response: undefined };
    },
    { step: 'initialize', name: MIDDLEWARE, priority: 'low' },
  );
  return {
    close: () => {
      for (const name of [READ_MIDDLEWARE, MIDDLEWARE]) client.middlewareStack.remove(name);
      signals.close();
      beacons?.close();
      clients.close();
    },
  };
}

/** Undefined: the stream that the call names. @throws RedirectError */
function targetFor(
  input: PutInput,
  { options, signal }: { readonly options: FollowSignalOptions; readonly signal: Signal },
): StreamTarget | undefined {
  const { accounts = [] } = options;
  const asked = accountAsked(input);
  // Whoever names an account in the call expects it.
  const expected = asked === undefined ? accounts : [...accounts, asked];
  const targeting = targetOf({ ...options, accounts: expected }, signal);
  if (targeting.kind === 'target') return targeting.target;
  if (targeting.kind === 'nameless') return undefined;
  throw new RedirectError(`${capitalised(targetProblem(targeting, signal.region))}.`);
}

const capitalised = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

type Send = (
  client: KinesisClient,
  input: PutInput,
  abortSignal: AbortSignal | undefined,
) => Promise<ServiceOutputTypes>;

const senders = {
  PutRecordCommand: (client, input, abortSignal) =>
    client.send(new PutRecordCommand(input as PutRecordCommandInput), abortSignal ? { abortSignal } : {}),
  PutRecordsCommand: (client, input, abortSignal) =>
    client.send(new PutRecordsCommand(input as PutRecordsCommandInput), abortSignal ? { abortSignal } : {}),
} as const satisfies Record<PutCommand, Send>;

function putCommandOf({ commandName }: { readonly commandName?: string }): PutCommand | undefined {
  return commandName !== undefined && Object.hasOwn(senders, commandName)
    ? (commandName as PutCommand)
    : undefined;
}

/** @throws ProducerConfigError unless it is a client with the members that are used here. */
function assertClient(client: unknown): void {
  const isClient = guarded('The client', () => {
    const { config, middlewareStack } = client as Partial<KinesisClient>;
    return typeof config?.region === 'function' && typeof middlewareStack?.add === 'function';
  });
  if (!isClient)
    throw new ProducerConfigError('`followSignal` takes a KinesisClient of the AWS SDK, version 3.');
}

/**
 * The signal of a call. It is undocumented; without it, a call would still end by the time-outs of its
 * request handler.
 */
function abortSignalOf(context: object): AbortSignal | undefined {
  const smithy = (context as { __smithy_context?: { abortSignal?: unknown } }).__smithy_context;
  return smithy?.abortSignal instanceof AbortSignal ? smithy.abortSignal : undefined;
}
