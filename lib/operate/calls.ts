import { z } from 'zod';
import {
  type Call,
  calledOperation,
  calledService,
  type Instrumentable,
  type Middleware,
} from '../aws/call-log.ts';

/** One AWS call, as the audit judges it. Files hold one JSON object a line. */
export const callSchema = z.object({
  service: z.string().min(1),
  operation: z.string().min(1),
  region: z.string().min(1),
  endpoint: z.string().optional(),
  /** Who made it: `observer`, `vote`, `switch`, `conductor`, `cli failover`, `producer`. */
  who: z.string().min(1),
  resource: z.string().optional(),
  partition: z.string().optional(),
  namespace: z.string().optional(),
}) satisfies z.ZodType<Call>;

/** A call that a dry run would have made. */
export interface PlannedCall {
  readonly service: string;
  readonly operation: string;
  readonly region: string;
  readonly parameters: unknown;
}

interface Answer {
  readonly output: Readonly<Record<string, unknown>>;
  readonly response: unknown;
}

/** Told of a call that is not made, it may say what AWS would have answered. */
export type Divert = (call: PlannedCall) => Readonly<Record<string, unknown>> | undefined;

/**
 * Ends every call before it is signed or sent, as if AWS had given an empty answer, and reports the call that
 * would have been made.
 */
export function divert(client: Instrumentable, region: string, onCall: Divert): void {
  const middleware: Middleware = (_next, context) => async (args) => {
    const call = {
      service: calledService(context),
      operation: calledOperation(context),
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

/** Lets every call go out, and reports it. */
export function overhear(client: Instrumentable, region: string, onCall: (call: PlannedCall) => void): void {
  const middleware: Middleware = (next, context) => async (args) => {
    onCall({
      service: calledService(context),
      operation: calledOperation(context),
      region,
      parameters: args.input,
    });
    return next(args);
  };
  client.middlewareStack.add(middleware as never, {
    step: 'initialize',
    priority: 'high',
    name: 'spillwayOverhear',
  });
}
