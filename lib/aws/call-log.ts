import { appendFileSync } from 'node:fs';
import type { CallTarget } from './call-target.ts';
import { Targets } from './iterators.ts';

/**
 * The environment variable that names a file to which every AWS call is appended, one JSON object per line,
 * for `spillway audit`. Unset: nothing is written.
 */
export const CALL_LOG = 'SPILLWAY_CALL_LOG';

/** One AWS call, as the audit judges it; what it was about, for who judges permissions. */
export interface Call extends CallTarget {
  readonly service: string;
  readonly operation: string;
  readonly region: string;
  readonly endpoint?: string | undefined;
  /** Who made it: `observer us-west-2`, `vote`, `switch`, `conductor`, `cli failover`, `producer p1`. */
  readonly who: string;
}

export interface CommandContext {
  readonly clientName?: string | undefined;
  readonly commandName?: string | undefined;
}
export type Handler = (args: { readonly input: unknown; readonly request?: unknown }) => Promise<unknown>;
export type Middleware = (next: Handler, context: CommandContext) => Handler;

/** The part of every SDK client that matters here; the clients' own types have no common type. */
export interface Instrumentable {
  readonly middlewareStack: {
    add(middleware: never, options: Record<string, unknown>): void;
  };
}

/** `DynamoDBClient` → `dynamodb`, `PutItemCommand` → `PutItem`. */
export const calledService = ({ clientName }: CommandContext): string =>
  (clientName ?? 'unknown').replace(/Client$/, '').toLowerCase();
export const calledOperation = ({ commandName }: CommandContext): string =>
  (commandName ?? 'Unknown').replace(/Command$/, '');

export interface ObserveOptions {
  readonly region: string;
  readonly who: string;
  readonly onCall: (call: Call) => void;
}

/** Reports each call before it is sent, including the calls of a retry. */
export function observe(client: Instrumentable, { region, who, onCall }: ObserveOptions): void {
  const targets = new Targets();
  const middleware: Middleware = (next, context) => async (args) => {
    const service = calledService(context);
    const target = targets.of(service, args.input);
    const request = args.request as { readonly hostname?: string } | undefined;
    onCall({
      service,
      operation: calledOperation(context),
      region,
      ...(request?.hostname === undefined ? {} : { endpoint: request.hostname }),
      who,
      ...target,
    });
    const result = await next(args);
    if (service === 'kinesis') {
      targets.answered(target, (result as { readonly output?: unknown } | undefined)?.output);
    }
    return result;
  };
  client.middlewareStack.add(middleware as never, {
    step: 'finalizeRequest',
    priority: 'low',
    name: 'spillwayCalls',
  });
}

/**
 * Writes every call of the client to the file, if there is one; a line is one write, so processes may share
 * the file.
 */
export function logCalls<Client extends Instrumentable>(
  client: Client,
  { file = process.env[CALL_LOG], ...caller }: { file?: string | undefined; region: string; who: string },
): Client {
  if (file !== undefined && file !== '') observe(client, { ...caller, onCall: (call) => append(file, call) });
  return client;
}

function append(file: string, call: Call): void {
  try {
    appendFileSync(file, `${JSON.stringify(call)}\n`);
  } catch {
    // A full disk must not prevent a failover. The proxy of a drill has seen the call as well.
  }
}
