import { z } from 'zod';

/** One AWS call, as the audit judges it. Files hold one JSON object a line. */
export const callSchema = z.object({
  service: z.string().min(1),
  operation: z.string().min(1),
  region: z.string().min(1),
  endpoint: z.string().optional(),
  /** Who made it: `observer`, `vote`, `switch`, `conductor`, `cli failover`, `producer`. */
  who: z.string().min(1),
});
export type Call = Readonly<z.infer<typeof callSchema>>;

/** A call that a dry run would have made. */
export interface PlannedCall {
  readonly service: string;
  readonly operation: string;
  readonly region: string;
  readonly parameters: unknown;
}

interface CommandContext {
  readonly clientName?: string | undefined;
  readonly commandName?: string | undefined;
}
interface Answer {
  readonly output: Readonly<Record<string, unknown>>;
  readonly response: unknown;
}
type Handler = (args: { readonly input: unknown; readonly request?: unknown }) => Promise<unknown>;
type Middleware = (next: Handler, context: CommandContext) => Handler;

/** The part of every SDK client that matters here; the clients' own types have no common one. */
export interface Instrumentable {
  readonly middlewareStack: {
    add(middleware: never, options: Record<string, unknown>): void;
  };
}

/** `DynamoDBClient` → `dynamodb`, `PutItemCommand` → `PutItem`. */
const serviceOf = ({ clientName }: CommandContext): string =>
  (clientName ?? 'unknown').replace(/Client$/, '').toLowerCase();
const operationOf = ({ commandName }: CommandContext): string =>
  (commandName ?? 'Unknown').replace(/Command$/, '');

/** Told of a call that is not made, it may say what AWS would have answered. */
export type Divert = (call: PlannedCall) => Readonly<Record<string, unknown>> | undefined;

/** Ends every call before it is signed or sent, as if AWS had answered with nothing, and tells what it would have been. */
export function divert(client: Instrumentable, region: string, onCall: Divert): void {
  const middleware: Middleware = (_next, context) => async (args) => {
    const call = {
      service: serviceOf(context),
      operation: operationOf(context),
      region,
      parameters: args.input,
    };
    const answer: Answer = { output: { $metadata: {}, ...onCall(call) }, response: undefined };
    return answer;
  };
  client.middlewareStack.add(middleware as never, {
    step: 'initialize',
    priority: 'high',
    name: 'spillwayDryRun',
  });
}

/** Tells of each call as it is sent: also those of a retry. */
export function observe(
  client: Instrumentable,
  {
    region,
    who,
    onCall,
  }: { readonly region: string; readonly who: string; readonly onCall: (call: Call) => void },
): void {
  const middleware: Middleware = (next, context) => (args) => {
    const request = args.request as { readonly hostname?: string } | undefined;
    onCall({
      service: serviceOf(context),
      operation: operationOf(context),
      region,
      ...(request?.hostname === undefined ? {} : { endpoint: request.hostname }),
      who,
    });
    return next(args);
  };
  client.middlewareStack.add(middleware as never, {
    step: 'finalizeRequest',
    priority: 'low',
    name: 'spillwayCalls',
  });
}
