import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { request as requestTls } from 'node:https';
import { connect, type Socket } from 'node:net';
import { HealthCheckError } from './errors.ts';
import type { EndpointCheck, PassRule } from './health-check.ts';
import { type ProbeOutcome, responseLimits } from './response.ts';

/** Where a checker really connects to, and the Host header it sends. */
export interface CheckerTarget {
  /** `http://host:port`, or `https://` for an endpoint of AWS, whose certificate has to be valid. */
  readonly origin: URL;
  readonly hostHeader: string;
}

export interface ProbeRequest {
  readonly check: ProbedCheck;
  readonly target: CheckerTarget;
  /** Ends the probe immediately, with what it has reached. */
  readonly signal: AbortSignal;
  /** Milliseconds, for durations only. */
  readonly now: () => number;
}

/** What a request needs to know of the check that it is made for. */
export type ProbedCheck = Pick<EndpointCheck, 'id' | 'resourcePath'> & PassRule;

/**
 * Makes one request the way a health checker does and says how far it got; never rejects for anything the endpoint
 * does. A new connection each time, because the time to connect is a part of the check.
 * @throws HealthCheckError if the target is not HTTP.
 */
export function probe(options: ProbeRequest): Promise<ProbeOutcome> {
  const { origin } = options.target;
  if (origin.protocol !== 'http:' && origin.protocol !== 'https:') {
    throw new HealthCheckError(`Health checkers here speak HTTP; give an http: origin instead of ${origin}.`);
  }
  return options.check.type === 'TCP' ? probeConnection(options) : probeResponse(options);
}

/** The stages of one probe: each has its own time limit, and the first one to end it decides. */
class Stages {
  readonly outcome: Promise<ProbeOutcome>;
  readonly #now: () => number;
  readonly #resolve: (outcome: ProbeOutcome) => void;
  #reached: ProbeOutcome = { reached: 'nothing' };
  #stageStartMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(now: () => number) {
    this.#now = now;
    this.#stageStartMs = now();
    const { promise, resolve } = Promise.withResolvers<ProbeOutcome>();
    this.outcome = promise;
    this.#resolve = resolve;
  }

  /** Time spent in the stage that ends now. */
  elapsedMs(): number {
    return this.#now() - this.#stageStartMs;
  }

  /** Starts a stage; if it takes longer than its limit, the probe ends with what was reached before. */
  begin(reached: ProbeOutcome, limitMs: number): void {
    clearTimeout(this.#timer);
    this.#reached = reached;
    this.#stageStartMs = this.#now();
    this.#timer = setTimeout(() => this.end(), limitMs);
  }

  end(outcome: ProbeOutcome = this.#reached): void {
    clearTimeout(this.#timer);
    this.#resolve(outcome);
  }

  /** Ends because something broke, rather than because it took too long. */
  breakOff(error: Error): void {
    const reached = this.#reached;
    const problem = 'code' in error && typeof error.code === 'string' ? error.code : error.message;
    this.end(reached.reached === 'body' ? reached : { ...reached, problem });
  }
}

async function probeConnection({ target, signal, now }: ProbeRequest): Promise<ProbeOutcome> {
  const stages = new Stages(now);
  stages.begin({ reached: 'nothing' }, responseLimits.tcpConnectMs);
  const socket = connect({ host: hostOf(target.origin), port: portOf(target.origin), signal });
  socket.on('connect', () => stages.end({ reached: 'connection', connectMs: stages.elapsedMs() }));
  socket.on('error', (error) => stages.breakOff(error));
  try {
    return await stages.outcome;
  } finally {
    socket.destroy();
  }
}

async function probeResponse({ check, target, signal, now }: ProbeRequest): Promise<ProbeOutcome> {
  const stages = new Stages(now);
  stages.begin({ reached: 'nothing' }, responseLimits.connectMs);
  const client = begin({ check, target, signal });
  let connectMs = 0;
  client.on('socket', (socket: Socket) =>
    socket.once('connect', () => {
      connectMs = stages.elapsedMs();
      stages.begin({ reached: 'connection', connectMs }, responseLimits.statusMs);
    }),
  );
  client.on('response', (response) => readResponse(response, { check, connectMs, stages }));
  client.on('error', (error) => stages.breakOff(error));
  client.end();
  try {
    return await stages.outcome;
  } finally {
    client.destroy();
  }
}

function begin({ check, target, signal }: Omit<ProbeRequest, 'now'>): ClientRequest {
  const { origin, hostHeader } = target;
  const isTls = origin.protocol === 'https:';
  return (isTls ? requestTls : request)({
    host: hostOf(origin),
    port: portOf(origin),
    path: check.resourcePath,
    agent: false,
    signal,
    ...(isTls ? { servername: hostHeader.replace(/:\d+$/, '') } : {}),
    headers: {
      host: hostHeader,
      accept: '*/*',
      'user-agent': `Amazon-Route53-Health-Check-Service (ref ${check.id}; modelled by Spillway)`,
    },
  });
}

interface Reading {
  readonly check: ProbedCheck;
  readonly connectMs: number;
  readonly stages: Stages;
}

function readResponse(response: IncomingMessage, { check, connectMs, stages }: Reading): void {
  const status = response.statusCode ?? 0;
  const reached = { reached: 'status', connectMs, statusMs: stages.elapsedMs(), status } as const;
  if (!('searchString' in check)) {
    stages.end(reached);
    return;
  }
  stages.begin(reached, responseLimits.bodyMs);
  const chunks: Buffer[] = [];
  let length = 0;
  const finish = () =>
    stages.end({ ...reached, reached: 'body', bodyMs: stages.elapsedMs(), body: Buffer.concat(chunks) });
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= responseLimits.bodyBytes) finish();
  });
  response.on('end', finish);
  response.on('error', (error) => stages.breakOff(error));
}

const hostOf = (origin: URL): string => origin.hostname.replace(/^\[|\]$/g, '');
const defaultPorts: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };
const portOf = ({ port, protocol }: URL): number =>
  port === '' ? (defaultPorts[protocol] ?? 0) : Number(port);
