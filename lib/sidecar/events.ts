/** What happens in a sidecar, one line each. */
export type SidecarEvent =
  | {
      readonly event: 'regionChanged';
      readonly cell: string;
      readonly from: string | null;
      readonly to: string;
    }
  | { readonly event: 'spooling' | 'drained'; readonly cell: string }
  | {
      readonly event:
        | 'signalProblem'
        | 'spoolProblem'
        | 'endpointProblem'
        | 'streamProblem'
        | 'aggregateProblem';
      readonly cell: string;
      readonly problem: string;
    }
  /** Puts fail, and are tried again. Told for each code once a minute at most. */
  | { readonly event: 'retrying'; readonly cell: string; readonly region: string; readonly code: string }
  /** The stream was split or merged: so many records are written again. */
  | { readonly event: 'regrouped'; readonly cell: string; readonly region: string; readonly records: number }
  | { readonly event: 'aggregatesApart'; readonly cell: string }
  | { readonly event: 'draining'; readonly requests: number }
  | { readonly event: 'closed'; readonly left: number };

/** The event in words, for people. */
export function eventText(event: SidecarEvent): string {
  switch (event.event) {
    case 'regionChanged':
      return `${event.cell}: writes to ${event.to}${event.from === null ? '' : `, and no longer to ${event.from}`}`;
    case 'spooling':
      return `${event.cell}: no region takes records; they are acknowledged from the disk`;
    case 'drained':
      return `${event.cell}: nothing is left on the disk`;
    case 'signalProblem':
    case 'spoolProblem':
    case 'endpointProblem':
    case 'streamProblem':
    case 'aggregateProblem':
      return `${event.cell}: ${event.problem}`;
    case 'retrying':
      return `${event.cell}: puts fail in ${event.region} (${event.code}), and are tried again`;
    case 'regrouped':
      return `${event.cell}: ${event.records} records are written again in ${event.region}, because the stream was split or merged`;
    case 'aggregatesApart':
      return `${event.cell}: a client sends KPL aggregates; they are taken apart, and without --aggregate each of their records becomes a record of its own`;
    case 'draining':
      return `draining: ${event.requests} requests are in progress (Ctrl-C again ends immediately)`;
    case 'closed':
      return event.left === 0
        ? 'closed: every record is in a stream'
        : `closed: ${event.left} records are on the disk`;
    default: {
      const never: never = event;
      return String(never);
    }
  }
}
