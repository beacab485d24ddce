import type { EndpointKind } from './endpoint-items.ts';
import { type Position, positions } from './switch.ts';
import { type Vote, votes } from './vote.ts';

/** The values that an endpoint of each kind says; the first one keeps traffic in the primary. */
export const endpointValues = { vote: votes, switch: positions } as const satisfies Readonly<
  Record<EndpointKind, readonly [string, string]>
>;
export type EndpointValue = Vote | Position;
type ValueOf<Kind extends EndpointKind> = (typeof endpointValues)[Kind][number];

/** What an endpoint says. */
export interface Said<Value extends EndpointValue = EndpointValue> {
  readonly value: Value;
  /**
   * False: the endpoint has failed to read its table, and says what it says in that case. The checkers do not
   * look at this; but HOLD for lack of an answer must not look like the HOLD of a healthy observer to those
   * who watch the endpoint.
   */
  readonly read: boolean;
}

/** Beside the value, where the endpoint could not read it. No checker searches for this. */
const READ_FAILED = ' read=failed';

/** The text of an endpoint. It has the marker that the checkers search for only if the value is the marker's. */
export const endpointText = <Kind extends EndpointKind>(
  kind: Kind,
  { value, read }: Said<ValueOf<Kind>>,
): string => `${kind}=${value}${read ? '' : READ_FAILED}`;

/** Undefined: no endpoint of this kind says that. The end of the text may be padded. */
export function parseEndpointText(kind: EndpointKind, text: string): Said | undefined {
  const said = text.trimEnd();
  for (const value of endpointValues[kind]) {
    for (const read of [true, false]) {
      if (said === `${kind}=${value}${read ? '' : READ_FAILED}`) return { value, read };
    }
  }
  return undefined;
}
