import { type EndpointId, endpointName } from './endpoint-items.ts';
import type { StoredValue } from './endpoint-stored.ts';
import { parseEndpointText, type Said } from './endpoint-text.ts';

/** What came back from an endpoint that was asked as a health checker asks it. */
export type EndpointAnswer =
  /** No name, no connection, or one that broke off. */
  | { readonly got: 'nothing'; readonly problem: string }
  /** A connection, and no whole answer within what a checker waits. */
  | { readonly got: 'too late' }
  | { readonly got: 'answer'; readonly status: number; readonly text: string };

/**
 * What an endpoint may be found to be. `trouble`: the checkers do not learn from it what is stored, or nobody can tell.
 */
export const endpointFindings = {
  dead: { trouble: true, meaning: 'no answer: the name does not resolve, or nobody is there' },
  late: { trouble: true, meaning: 'no answer within the two seconds that a checker waits' },
  throttled: {
    trouble: true,
    meaning: 'refused by Lambda: more requests come than the reserved concurrency lets through',
  },
  refused: {
    trouble: true,
    meaning:
      'answered by something that is no endpoint of Spillway: the function URL was replaced, may not be called, or its function fails',
  },
  unreadable: {
    trouble: true,
    meaning: 'the table cannot be read: the answer would be the same in an outage',
  },
  wrong: { trouble: true, meaning: 'the answer is not what is stored' },
  damaged: { trouble: true, meaning: 'not asked: the record of what the health check asks is damaged' },
  missing: { trouble: false, meaning: 'not asked: no deployment has recorded what the health check asks' },
  waiting: { trouble: false, meaning: 'not asked yet: the turn comes within minutes' },
  unknown: { trouble: false, meaning: 'an answer, but what is stored could not be read' },
  agrees: { trouble: false, meaning: 'the answer is what is stored' },
} as const satisfies Readonly<Record<string, { readonly trouble: boolean; readonly meaning: string }>>;

export type EndpointFindingName = keyof typeof endpointFindings;
export const endpointFindingNames = Object.keys(endpointFindings) as readonly EndpointFindingName[];

/** What was found of one endpoint. */
export interface EndpointFinding extends EndpointId {
  readonly finding: EndpointFindingName;
  /** What exactly: `ENOTFOUND`, `status 403`, `PRIMARY, and STANDBY is stored`; empty when there is no more to say. */
  readonly detail: string;
  /** The host that was asked; absent when none was. */
  readonly host?: string;
}

export const isTrouble = ({ finding }: Pick<EndpointFinding, 'finding'>): boolean =>
  endpointFindings[finding].trouble;

export interface EndpointLook {
  readonly endpoint: EndpointId;
  readonly answer: EndpointAnswer;
  /** What was stored when it was asked, and what was stored afterwards. Empty: unknown. */
  readonly stored: readonly StoredValue[];
  readonly nowMs: number;
}

/**
 * A switch that has just been set is said up to five seconds later, by an instance that has read the table before; and
 * clocks differ.
 */
export const SETTLE_MS = 15_000;
/** Characters of a text that is none of ours, in a message. */
const MOST_QUOTED = 40;

type Judged = EndpointLook & { readonly said: Said | undefined };
/** The detail of the finding; undefined when it is another one. */
type Rule = (look: Judged) => string | undefined;

/** The first that fits. A look that none of them fits is `wrong`. */
const rules: readonly (readonly [EndpointFindingName, Rule])[] = [
  ['dead', ({ answer }) => (answer.got === 'nothing' ? answer.problem : undefined)],
  ['late', ({ answer }) => (answer.got === 'too late' ? 'no answer in time' : undefined)],
  ['throttled', ({ answer }) => (statusOf(answer) === 429 ? 'status 429' : undefined)],
  [
    'refused',
    ({ answer, said }) => {
      if (answer.got !== 'answer') return undefined;
      if (answer.status !== 200) return `status ${answer.status}`;
      return said === undefined ? `it says ${quoted(answer.text)}` : undefined;
    },
  ],
  ['unreadable', ({ said }) => (said?.read === false ? `it says ${said.value} unread` : undefined)],
  ['unknown', ({ stored }) => (stored.length === 0 ? '' : undefined)],
  [
    'agrees',
    ({ said, stored, nowMs }) =>
      stored.some((one) => one.value === said?.value || isSettling(one, nowMs)) ? '' : undefined,
  ],
];

/** Judges what one endpoint has answered. */
export function judgeEndpoint(look: EndpointLook): EndpointFinding {
  const { endpoint, answer, stored } = look;
  const { kind, of } = endpoint;
  const said = answer.got === 'answer' ? parseEndpointText(kind, answer.text) : undefined;
  for (const [finding, rule] of rules) {
    const detail = rule({ ...look, said });
    if (detail !== undefined) return { kind, of, finding, detail };
  }
  return {
    kind,
    of,
    finding: 'wrong',
    detail: `it says ${said?.value}, and ${stored.at(-1)?.value} is stored`,
  };
}

const statusOf = (answer: EndpointAnswer): number | undefined =>
  answer.got === 'answer' ? answer.status : undefined;
const isSettling = ({ changedAtMs }: StoredValue, nowMs: number): boolean =>
  changedAtMs !== undefined && Math.abs(nowMs - changedAtMs) < SETTLE_MS;
const quoted = (text: string): string => JSON.stringify(text.trimEnd().slice(0, MOST_QUOTED));

/** Endpoints that one line names, at most. */
const MOST_IN_WORDS = 5;

/** `5 agrees`, or `vote eu-west-1 dead (ENOTFOUND); 4 agrees`. */
export function endpointsInWords(findings: readonly EndpointFinding[]): string {
  const troubled = findings.filter(isTrouble);
  const named = troubled
    .slice(0, MOST_IN_WORDS)
    .map((one) => `${endpointName(one)} ${one.finding}${detailOf(one)}`);
  const more = troubled.length > named.length ? [`${troubled.length - named.length} more in trouble`] : [];
  const others = Map.groupBy(
    findings.filter((one) => !isTrouble(one)),
    ({ finding }) => finding,
  );
  return [...named, ...more, ...[...others].map(([finding, some]) => `${some.length} ${finding}`)].join('; ');
}

const detailOf = ({ detail }: EndpointFinding): string => (detail === '' ? '' : ` (${detail})`);
