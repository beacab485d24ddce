import type { HttpAnswer } from '../producer/wire/exchange.ts';
import type { OpenCell, Place } from './cell.ts';
import type { Cells } from './cells.ts';
import { KinesisError } from './kinesis-error.ts';
import { type Fields, readStream } from './put-request.ts';
import type { Upstream } from './upstream.ts';

/** Operations that are asked of the region in force: clients read there how many shards a stream has, and which. */
export const passedOn = ['DescribeStream', 'DescribeStreamSummary', 'ListShards'] as const;
export type PassedOn = (typeof passedOn)[number];
export const isPassedOn = (operation: string): operation is PassedOn =>
  (passedOn as readonly string[]).includes(operation);

const TARGET_PREFIX = 'Kinesis_20131202';
const TOKEN_VERSION = 'spillway1';

export interface PassOnParts {
  readonly cells: Cells;
  readonly upstream: Upstream;
}

interface Question {
  readonly cell: OpenCell;
  readonly region: string;
  readonly document: object;
  /** Not a page after the first. */
  readonly first: boolean;
}

/** The answer of the region in force, as it is but for a token of ListShards. */
export interface PassedAnswer {
  readonly status: number;
  readonly document: Fields;
}

/** Asks the region in force. @throws KinesisError */
export async function passOn(
  operation: PassedOn,
  fields: Fields,
  { cells, upstream }: PassOnParts,
): Promise<PassedAnswer> {
  const question = questionOf(operation, fields, cells);
  const { cell, region, document, first } = question;
  const answer = await upstream
    .ask(region, `${TARGET_PREFIX}.${operation}`, document)
    .catch((cause: unknown) => {
      if (cause instanceof KinesisError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new KinesisError('ServiceUnavailable', `${operation} in ${region}: ${reason}`, { cause });
    });
  const found = parsed(answer, region);
  if (operation !== 'ListShards' || answer.status !== 200) return { status: answer.status, document: found };
  if (Array.isArray(found.Shards)) cell.toldShards.learn(found.Shards, { region, first });
  return { status: answer.status, document: withToken(found, question) };
}

function questionOf(operation: PassedOn, fields: Fields, cells: Cells): Question {
  // A stream's id is of one region.
  const { StreamName, StreamARN, StreamId: _, ...others } = fields;
  if (operation === 'ListShards' && typeof others.NextToken === 'string') {
    return { ...nextPage(others.NextToken, cells, others), first: false };
  }
  const cell = cells.of(readStream({ StreamName, StreamARN }));
  const place = placeOf(cell);
  const stream =
    place.streamArn === undefined ? { StreamName: place.stream } : { StreamARN: place.streamArn };
  return { cell, region: place.region, document: { ...others, ...stream }, first: true };
}

function placeOf(cell: OpenCell): Place {
  const { place } = cell;
  if (place !== undefined) return place;
  throw new KinesisError('ServiceUnavailable', `No signal says yet where the stream of ${cell.name} is.`);
}

/** A token stands for stream and region, and Kinesis takes no stream beside it: so it carries both. */
function withToken(document: Fields, { cell, region }: Question): Fields {
  const { NextToken } = document;
  if (typeof NextToken !== 'string') return document;
  return { ...document, NextToken: [TOKEN_VERSION, cell.name, region, NextToken].join(' ') };
}

function nextPage(token: string, cells: Cells, others: Fields): Omit<Question, 'first'> {
  const [version, name = '', region = '', ...rest] = token.split(' ');
  const cell = version === TOKEN_VERSION ? cells.byName(name) : undefined;
  if (cell === undefined || !cell.regions.includes(region)) {
    throw new KinesisError('InvalidArgumentException', 'NextToken is not one that this sidecar gave.');
  }
  return { cell, region, document: { ...others, NextToken: rest.join(' ') } };
}

function parsed({ body, status }: HttpAnswer, region: string): Fields {
  try {
    const document: unknown = JSON.parse(body.toString());
    if (typeof document === 'object' && document !== null) return document as Fields;
  } catch {
    // Told below.
  }
  throw new KinesisError(
    'ServiceUnavailable',
    `${region} answered with status ${status}, and not with JSON.`,
  );
}
