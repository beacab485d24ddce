import { stateTableName, voteTableName } from '../../lambda/core/names.ts';
import { type CallFailure, deniedText, type FailureKind } from '../credentials/failure.ts';
import { credentialRow } from '../credentials/problems.ts';
import type { CredentialsVerdict } from '../credentials/verdict.ts';
import type { ObserverReadings } from './observers.ts';
import type { Reading, Unread } from './reading.ts';
import type { StateReadings } from './state.ts';
import type { StatusFinding } from './status-document.ts';

/** One part of the readings that was asked for and is not known. */
export interface UnreadPart {
  readonly region: string;
  readonly table: string;
  /** The name for people. */
  readonly part: string;
  /** True: without this part an operator does not know whether all is well. */
  readonly vital: boolean;
  readonly unread: Unread;
}

const stateParts: readonly {
  readonly key: keyof StateReadings;
  readonly part: string;
  readonly vital: boolean;
}[] = [
  { key: 'control', part: 'overrides', vital: true },
  { key: 'switches', part: 'switches', vital: true },
  { key: 'lease', part: 'lease', vital: true },
  { key: 'epoch', part: 'epoch', vital: true },
  { key: 'journal', part: 'journal', vital: false },
  { key: 'capacities', part: 'survey', vital: false },
  { key: 'consumers', part: 'consumers', vital: false },
  { key: 'drill', part: 'drill record', vital: false },
];

/** Pure: finds every part that was asked of AWS, and is not known. */
export function unreadParts(options: {
  readonly name: string;
  readonly standby: string;
  readonly observers: ObserverReadings;
  readonly state: StateReadings;
}): readonly UnreadPart[] {
  const { name, standby, observers, state } = options;
  const votes = [...observers].flatMap(([region, report]) =>
    report.ok
      ? []
      : [{ region, table: voteTableName(name), part: `observer ${region}`, vital: true, unread: report }],
  );
  const stored = stateParts.flatMap(({ key, part, vital }) => {
    const read: Reading<unknown> = state[key];
    return read.ok ? [] : [{ region: standby, table: stateTableName(name), part, vital, unread: read }];
  });
  return [...votes, ...stored];
}

const kindOf = ({ unread }: UnreadPart): FailureKind => unread.failure?.kind ?? 'other';
/** Failures that the one finding about credentials covers, when there is one. */
const coverable: ReadonlySet<FailureKind> = new Set(['credentials', 'denied', 'missing']);

/**
 * Pure: one finding for each obstacle, however many parts it hides. The finding about credentials comes once;
 * a region that does not answer is reported besides, because that has nothing to do with credentials.
 */
export function unreadFindings(
  verdict: CredentialsVerdict,
  parts: readonly UnreadPart[],
): readonly StatusFinding[] {
  const left = parts.filter((part) => verdict.ok !== false || !coverable.has(kindOf(part)));
  const groups = Map.groupBy(left, (part) => groupKey(part));
  return [...groups.values()].map((group) => groupFinding(group));
}

function groupKey({ region, table, part, unread }: UnreadPart): string {
  const { kind, ...facts }: CallFailure = unread.failure ?? { kind: 'other' };
  // Each observer that has answered has its own reason; a region that refuses is one obstacle as a whole.
  if (kind === 'credentials' || kind === 'denied') return JSON.stringify([region, kind, facts]);
  return JSON.stringify([region, table, kind, kind === 'silent' ? '' : unread.problem, isVote(part)]);
}

const isVote = (part: string): boolean => part.startsWith('observer ');

function groupFinding(group: readonly UnreadPart[]): StatusFinding {
  const [{ region, table, part, unread } = unreachable()] = group;
  const parts = group.map((one) => one.part).join(', ');
  const failure: CallFailure = unread.failure ?? { kind: 'other' };
  const level = group.some(({ vital }) => vital) ? 'bad' : 'note';
  switch (failure.kind) {
    case 'credentials': {
      const { said } = credentialRow(failure.problem);
      const text = `${region} rejects your credentials, which other regions accept (${said}); not known: ${parts}`;
      return { level: level === 'bad' ? 'unknown' : level, text };
    }
    case 'denied': {
      const text = `${deniedText(failure)}; not known: ${parts}`;
      return { level: level === 'bad' ? 'unknown' : level, text };
    }
    case 'missing':
      return { level, text: `there is no table ${table} in ${region}; not known: ${parts}` };
    case 'silent':
    case 'unusable':
    case 'other':
      if (isVote(part)) return { level, text: `${parts}: ${unread.problem}` };
      return {
        level,
        text: `the state table in ${region}: ${unread.problem}; not known: ${parts}${held(group)}`,
      };
    default:
      return failure satisfies never;
  }
}

/**
 * Whether the observers can read the overrides is not known here; an observer that cannot read them holds.
 */
const held = (group: readonly UnreadPart[]): string =>
  group.some(({ part, unread }) => part === 'overrides' && unread.failure?.kind === 'silent')
    ? '. An observer that cannot read the overrides either holds'
    : '';

function unreachable(): never {
  throw new Error('A group has at least one part.');
}
