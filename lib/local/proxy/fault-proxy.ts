import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CallTarget, targetOf as targetOfCall } from '../../aws/call-target.ts';
import type { Regions } from '../../config/config.ts';
import { throttleOf } from '../../scenario/error-response.ts';
import { type Call, type FailingEffect, fateOf } from '../../scenario/faults.ts';
import { refusedInPart } from '../../scenario/partial-answer.ts';
import { factsOf, type RequestFacts } from '../../scenario/request-facts.ts';
import type { Scenario } from '../../scenario/schema.ts';
import { wireContent } from '../../scenario/wire-content.ts';
import { answerError, refuse, tooMany, withoutLength } from './answers.ts';
import { RequestGate } from './request-gate.ts';
import { StreamNames } from './stream-names.ts';

export interface ProxiedCall extends Call, CallTarget {
  /** Whose listener it came in by: a region's, or that of a caller with a name. */
  readonly caller: string;
  /** The effect it suffered; absent for a call that went through. */
  readonly effect?: FailingEffect['kind'];
}

/** The course of a call behind the proxy, apart from any fault. */
export interface UpstreamCall {
  readonly service: string;
  readonly operation: string;
  /** From the proxy's request to LocalStack's whole answer, or until nobody waited for it any more. */
  readonly ms: number;
  /** `abandoned`: the client gave up first. */
  readonly end: 'answered' | 'abandoned' | 'failed';
}

export interface FaultProxyOptions {
  /** Base URL of LocalStack. */
  readonly target: string;
  /** Base URL for calls of the Kinesis data plane; default: `target`, which passes them on at ten times the cost. */
  readonly kinesisTarget?: string | undefined;
  readonly roles: Regions;
  /** The cell of a stream, or `canary`, by `region/stream`: for faults that name streams. */
  readonly streams?: ReadonlyMap<string, string>;
  /** Regions: each gets a listener of its own, so that a partition can be one-sided. */
  readonly sources: readonly string[];
  /** Callers that are to be told from the others of their region, by name; each gets a listener too. */
  readonly callers?: Readonly<Record<string, string>>;
  /** Those callers that are producers: for faults that only producers see. */
  readonly producers?: readonly string[];
  readonly random: () => number;
  readonly now: () => number;
  readonly onCall?: (call: ProxiedCall) => void;
  /** Called when a call that no fault kept from LocalStack has come to its end. */
  readonly onUpstream?: (call: UpstreamCall) => void;
}

export interface FaultProxy {
  /** Base URL for clients in this region, or for a named caller. @throws RangeError for one that has no listener. */
  endpointFor(source: string): string;
  /** Plays the scenario from its t = 0, now. */
  play(scenario: Scenario): void;
  /** Ends every fault. Calls that are held stay held. */
  clear(): void;
  /**
   * Lets through so many requests a second to a function URL, whoever asks, and answers the others with status 429, as
   * Lambda does by what the function reserves. Undefined: all of them.
   */
  limitRequests(host: string, perSecond: number | undefined): void;
  /**
   * Where a flood of a function URL goes. What is let through of it is answered here: a flood of LocalStack, which
   * begins a process for each, would show nothing of Lambda.
   */
  readonly floodOrigin: URL;
  close(): Promise<void>;
}

/** `timeout`: the call is carried out, and answered when nobody waits any more. */
const TOO_LATE_MS = 60_000;
/** Kinesis takes 10 MiB in a request; base64 and JSON make it a third larger. */
const MAX_REQUEST_BYTES = 16 * 1024 * 1024;
/** Of a request that is read for what it is about: calls of Spillway are small, and so are those of a drill's producers. */
const MOST_BYTES_READ = 64 * 1024;
const UPSTREAM_TIMEOUT_MS = 60_000;
/** What LocalStack passes on to kinesis-local as it is. */
const KINESIS_DATA_PLANE: ReadonlySet<string> = new Set([
  'PutRecord',
  'PutRecords',
  'GetShardIterator',
  'GetRecords',
  'ListShards',
  'DescribeStreamSummary',
]);
/**
 * Calls that LocalStack gets at once. LocalStack works on one call at a time, and continues with calls that
 * were abandoned; so further calls wait here, where an abandoned call costs nothing. Invocations have a limit
 * of their own, because they last until the calls of their function are answered.
 */
const MAX_UPSTREAM_CALLS = 32;
const MAX_UPSTREAM_INVOCATIONS = 64;

/** Stands between every client and LocalStack, on loopback, and applies faults to the calls that pass. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const calls = new Agent({ keepAlive: true, maxSockets: MAX_UPSTREAM_CALLS });
  const invocations = new Agent({ keepAlive: true, maxSockets: MAX_UPSTREAM_INVOCATIONS });
  const closing = new AbortController();
  const servers = new Map<string, Server>();
  const streamNames = new StreamNames(options.streams ?? new Map());
  const gate = new RequestGate({ nowMs: () => performance.now(), random: options.random });
  let playing: { readonly scenario: Scenario; readonly startedAtMs: number } | undefined;

  const producers = new Set(options.producers);
  const fate = (call: Call) =>
    playing === undefined
      ? { delayMs: 0 }
      : fateOf(call, {
          scenario: playing.scenario,
          roles: options.roles,
          elapsedMs: options.now() - playing.startedAtMs,
          random: options.random,
        });

  const targetOf = (facts: RequestFacts | undefined): string =>
    facts?.service === 'kinesis' && KINESIS_DATA_PLANE.has(facts.operation)
      ? (options.kinesisTarget ?? options.target)
      : options.target;

  async function serve(
    { source, caller }: { readonly source: string; readonly caller: string },
    { request, response }: Pick<Exchange, 'request' | 'response'>,
  ): Promise<void> {
    if (Number(request.headers['content-length'] ?? 0) > MAX_REQUEST_BYTES) return refuse(response);
    const body = await buffer(request);
    const facts = factsOf(request, body);
    const exchange = { request, response, body, facts };
    if (facts === undefined) return forward(exchange);
    const { region, service, operation } = facts;
    // Only then: a body has up to 10 MiB.
    const stream = namesStreams(playing?.scenario) ? streamNames.of(facts, body) : undefined;
    const call = {
      source,
      region,
      service,
      operation,
      ...(stream === undefined ? {} : { stream }),
      ...(producers.has(caller) ? { byProducer: true } : {}),
    };
    const { delayMs, failure } = fate(call);
    options.onCall?.({
      ...call,
      ...(body.length > MOST_BYTES_READ ? {} : targetOfCall(service, wireContent(body)?.value)),
      caller,
      ...(failure === undefined ? {} : { effect: failure.kind }),
    });
    if (delayMs > 0) await sleep(delayMs, undefined, { signal: closing.signal });
    if (failure === undefined && operation === 'InvokeFunctionUrl' && !gate.admits(hostOf(request)))
      return tooMany(response);
    if (failure === undefined)
      return forward(
        exchange,
        stream === undefined ? {} : { onAnswer: (content) => streamNames.answered(stream, content) },
      );
    await suffer(exchange, facts, failure);
  }

  async function suffer(exchange: Exchange, facts: RequestFacts, failure: FailingEffect): Promise<void> {
    const { request, response } = exchange;
    switch (failure.kind) {
      case 'error':
        return answerError(response, facts, { ...failure, message: failure.message ?? defaultMessage });
      case 'throttle':
        return answerError(response, facts, throttleOf(facts.service));
      case 'partial':
        return forward(exchange, { alter: (content) => refusedInPart(content, failure, options.random) });
      case 'dns':
      // Clients reach LocalStack by its address, so no name can fail; what they see of it is a call that reaches nobody.
      case 'reset':
        request.socket.resetAndDestroy();
        return;
      case 'blackhole':
        // Held until the client gives up; closing the proxy ends its connection.
        return;
      case 'timeout':
        return forward(exchange, {
          beforeAnswer: () => sleep(TOO_LATE_MS, undefined, { signal: closing.signal }),
        });
      default:
        return failure satisfies never;
    }
  }

  /** `beforeAnswer`: the call is carried out whether or not anybody still waits. `alter`: another answer is given. */
  function forward(
    { request, response, body, facts }: Exchange,
    { beforeAnswer, alter, onAnswer }: ForwardOptions = {},
  ): Promise<void> {
    if (response.destroyed && beforeAnswer === undefined) return Promise.resolve();
    const agent = facts?.service === 'lambda' ? invocations : calls;
    const startedMs = performance.now();
    let end: UpstreamCall['end'] | undefined;
    const ended = (how: UpstreamCall['end']): void => {
      if (end !== undefined) return;
      end = how;
      if (facts === undefined) return;
      const { service, operation } = facts;
      options.onUpstream?.({ service, operation, ms: performance.now() - startedMs, end });
    };
    return new Promise((resolve, reject) => {
      const upstream = httpRequest(
        new URL(request.url ?? '/', targetOf(facts)),
        { agent, method: request.method ?? 'GET', headers: request.headers, timeout: UPSTREAM_TIMEOUT_MS },
        async (answer) => {
          try {
            const content = await buffer(answer);
            ended('answered');
            onAnswer?.(content);
            await beforeAnswer?.();
            const headers = withoutLength(answer.headers);
            if (alter !== undefined) delete headers['content-length'];
            response.writeHead(answer.statusCode ?? 502, headers);
            response.end(alter === undefined ? content : alter(content), () => resolve());
          } catch (error) {
            reject(error);
          }
        },
      );
      upstream.on('timeout', () => upstream.destroy(new Error('LocalStack did not answer in time')));
      upstream.on('error', (error) => {
        ended('failed');
        reject(error);
      });
      response.on('close', () => {
        if (!response.writableFinished && beforeAnswer === undefined) {
          ended('abandoned');
          upstream.destroy();
        }
        resolve();
      });
      upstream.end(body);
    });
  }

  const flooded = createServer((request, response) => {
    request.resume();
    if (gate.admits(hostOf(request))) response.end();
    else tooMany(response);
  });
  servers.set(FLOOD, flooded);
  await listen(flooded);

  const callers = new Map(options.sources.map((source) => [source, source]));
  for (const [caller, source] of Object.entries(options.callers ?? {})) callers.set(caller, source);
  for (const [caller, source] of callers) {
    const server = createServer((request, response) => {
      serve({ source, caller }, { request, response }).catch(() => request.socket.destroy());
    });
    servers.set(caller, server);
    await listen(server);
  }
  const endpointFor = (source: string): string => {
    const server = servers.get(source);
    if (server === undefined) throw new RangeError(`The fault proxy has no listener for ${source}.`);
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  return {
    endpointFor,
    floodOrigin: new URL(endpointFor(FLOOD)),
    limitRequests: (host, perSecond) => gate.limit(host, perSecond),
    play: (scenario) => {
      playing = { scenario, startedAtMs: options.now() };
    },
    clear: () => {
      playing = undefined;
    },
    close: async () => {
      closing.abort();
      await Promise.all([...servers.values()].map(closeServer));
      calls.destroy();
      invocations.destroy();
    },
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
  readonly facts: RequestFacts | undefined;
}

interface ForwardOptions {
  readonly beforeAnswer?: () => Promise<unknown>;
  readonly alter?: (content: Buffer) => Buffer;
  readonly onAnswer?: (content: Buffer) => void;
}

const namesStreams = (scenario: Scenario | undefined): boolean =>
  scenario?.faults.some(({ where }) => where.streams !== undefined) === true;

const defaultMessage = 'An internal error occurred.';

/** The name of its listener; no caller has a space before its name. */
const FLOOD = ' flood';

const hostOf = (request: IncomingMessage): string => request.headers.host ?? '';

const listen = (server: Server): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
