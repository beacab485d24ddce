import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { putRecordAnswer, putRecordsAnswer } from './answer.ts';
import type { Arrivals } from './arrivals.ts';
import { Body } from './body.ts';
import type { Budget } from './budget.ts';
import type { Cells } from './cells.ts';
import { KinesisError, type ToldError, toldError } from './kinesis-error.ts';
import type { SidecarMetrics } from './metrics.ts';
import type { SidecarLimits } from './options.ts';
import { isPassedOn, type PassedOn, passedOn, passOn } from './pass-on.ts';
import { fieldsOf, type PutRequest, readPutRecord, readPutRecords } from './put-request.ts';
import { put } from './puts.ts';
import type { SyntheticNumbers } from './synthetic.ts';
import type { Upstream } from './upstream.ts';
import { cborFormat, formatOf, fromCbor, toCbor, type WireFormat } from './wire-format.ts';

export interface HandlerParts {
  readonly cells: Cells;
  readonly upstream: Upstream;
  readonly budget: Budget;
  readonly metrics: SidecarMetrics;
  readonly numbers: SyntheticNumbers;
  readonly limits: SidecarLimits;
  readonly maxRecordBytes: number;
  readonly isDraining: () => boolean;
  /** A request has ended. */
  readonly onEnd: () => void;
}

const puts = {
  PutRecord: { read: readPutRecord, answer: putRecordAnswer },
  PutRecords: { read: readPutRecords, answer: putRecordsAnswer },
} as const;
type PutOperation = keyof typeof puts;
const isPut = (operation: string): operation is PutOperation => Object.hasOwn(puts, operation);

/**
 * A page may not set `x-amz-target` for another site, but a site whose name is made to lead to loopback is no other site for its own
 * pages. Browsers say where a POST comes from, whatever the page does; no SDK does.
 */
const isFromBrowser = ({ headers }: IncomingMessage): boolean =>
  headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
const FROM_BROWSER =
  'The sidecar takes nothing from pages in a browser, which send an Origin: write through a program.';
const target = /^Kinesis_20131202\.([A-Za-z]{1,64})$/;
const HTTP_OK = 200;
/** For the answer to arrive before the connection ends. */
const HANG_UP_MS = 1_000;

/** One request and the way to answer it. */
interface Call {
  readonly operation: string;
  readonly format: WireFormat;
  readonly response: ServerResponse;
  readonly startedMs: number;
}

/** Answers the requests of Kinesis' API. */
export class Handler {
  readonly #parts: HandlerParts;

  constructor(parts: HandlerParts) {
    this.#parts = parts;
  }

  handle(request: IncomingMessage, response: ServerResponse, arrivals: Arrivals): void {
    const { headers, method } = request;
    const operation = target.exec(String(headers['x-amz-target'] ?? ''))?.[1] ?? '';
    const format = formatOf(headers['content-type']);
    const isKnown = isPut(operation) || isPassedOn(operation);
    const call = { operation: isKnown ? operation : 'other', format, response, startedMs: performance.now() };
    if (method !== 'POST' || !isKnown) {
      this.#hangUp(call);
      this.#refuse(call, unknownOperation(operation));
      return;
    }
    if (isFromBrowser(request)) {
      this.#hangUp(call);
      this.#refuse(call, new KinesisError('AccessDeniedException', FROM_BROWSER));
      return;
    }
    const { budget, limits } = this.#parts;
    if (!budget.begin()) {
      this.#hangUp(call);
      const message = 'The sidecar has as many requests in progress as it may: try again later.';
      this.#refuse(call, new KinesisError('ProvisionedThroughputExceededException', message));
      return;
    }
    const place = isPut(operation) ? arrivals.enter() : undefined;
    const body = new Body(request, {
      budget,
      timeoutMs: limits.bodyTimeoutMs,
      done: (end) => {
        if (end.kind === 'whole') {
          const act = (): void => void this.#act(operation, end.body, call).then(ended);
          if (place === undefined) act();
          else place.ready(act);
          return;
        }
        place?.leave();
        if (end.kind === 'refused') {
          this.#hangUp(call);
          this.#refuse(call, end.error);
        }
        ended();
      },
    });
    const ended = (): void => {
      budget.end(body.held);
      this.#parts.onEnd();
    };
  }

  /** Never rejects. Puts are given to the producer before it returns, which keeps their order. */
  async #act(operation: string, body: Buffer, call: Call): Promise<void> {
    try {
      const document = call.format.decode(body);
      if (isPut(operation)) await this.#put(operation, document, call);
      else await this.#passOn(operation as PassedOn, document, call);
    } catch (error) {
      this.#refuse(call, toldError(error instanceof Error ? error : new Error(String(error))));
    }
  }

  async #put(operation: PutOperation, document: unknown, call: Call): Promise<void> {
    const { cells, metrics, numbers, maxRecordBytes } = this.#parts;
    const { read, answer } = puts[operation];
    const { stream, records, bytes }: PutRequest = read(document, { format: call.format, maxRecordBytes });
    const cell = cells.of(stream);
    const { outcomes, aggregates, userRecords } = await put(cell, records);
    const told = answer({ outcomes, records, cell, numbers }, call.format);
    const counts = { records: records.length, bytes, aggregates, userRecords };
    if ('code' in told) {
      metrics.put(cell.name, { ...counts, spooled: 0, failures: new Map([[told.code, records.length]]) });
      this.#refuse(call, told);
      return;
    }
    const { failures, spooled } = told;
    metrics.put(cell.name, { ...counts, spooled, failures });
    this.#respond(call, HTTP_OK, told.body, 'ok');
  }

  async #passOn(operation: PassedOn, document: unknown, call: Call): Promise<void> {
    const isCbor = call.format === cborFormat;
    const fields = fieldsOf(isCbor ? fromCbor(document) : document);
    const answer = await passOn(operation, fields, this.#parts);
    const body = call.format.encode((isCbor ? toCbor(answer.document) : answer.document) as object);
    const { __type: type } = answer.document;
    const code = answer.status === HTTP_OK ? 'ok' : shapeName(type);
    this.#respond(call, answer.status, body, code);
  }

  #refuse(call: Call, error: ToldError | KinesisError): void {
    const { status, message } = error;
    const code = error instanceof KinesisError ? error.name : error.code;
    const body = call.format.encode({ __type: code, message });
    this.#respond(call, status, body, code);
  }

  /** The body may go on for ever, and nobody reads it. */
  #hangUp({ response }: Call): void {
    const { req: request } = response;
    if (request.complete) return;
    if (request.httpVersionMajor === 1 && !response.headersSent) response.setHeader('connection', 'close');
    setTimeout(() => request.destroy(), HANG_UP_MS).unref();
  }

  #respond(
    { response, format, operation, startedMs }: Call,
    status: number,
    body: Buffer,
    code: string,
  ): void {
    this.#parts.metrics.answered(operation, code, (performance.now() - startedMs) / 1_000);
    if (response.destroyed || response.headersSent) return;
    response.writeHead(status, {
      'content-type': format.contentType,
      'content-length': body.length,
      'x-amzn-requestid': randomUUID(),
      ...(code === 'ok' ? {} : { 'x-amzn-errortype': code }),
      ...(this.#parts.isDraining() && response.req.httpVersionMajor === 1 ? { connection: 'close' } : {}),
    });
    response.end(body);
  }
}

const shapeName = (type: unknown): string =>
  typeof type === 'string' ? type.slice(type.indexOf('#') + 1) : 'InternalFailure';

function unknownOperation(operation: string): KinesisError {
  const asked = operation === '' ? 'This request' : operation;
  return new KinesisError(
    'UnknownOperationException',
    `${asked} is not what a Spillway sidecar answers: it takes ${Object.keys(puts).join(' and ')}, and passes on ${passedOn.join(', ')}. Send everything else to Kinesis itself.`,
  );
}
