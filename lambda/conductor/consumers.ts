import { ConsumersNotSeenError } from '../../lib/conductor/errors.ts';
import type { StandbyConsumer, Taker } from '../../lib/consumers/takers.ts';
import { streamReferenceOf } from '../../lib/settings/cells-file.ts';
import { CONSUMERS_WAIT_MS } from '../core/conductor.ts';
import { type ConsumerDigest, idleReaders, readerText } from '../core/consumer-digest.ts';
import { holdLease, journalStep } from './act.ts';
import type { Conductor, Step } from './conductor.ts';
import { withFindings } from './run-state.ts';

/** Records that arrived before the switches were set belong to this evacuation as well. */
const TAKEN_BEFORE_MS = 60_000;
const MOST_NAMED = 10;

/**
 * Looks which consumers of the standby have taken up what arrives there. Only cells whose records were seen to arrive are
 * looked at: a consumer of an idle cell has nothing to take.
 *
 * @throws ConsumersNotSeenError for a minute, while there are some of which nothing is seen
 */
export const consumers: Step = async (state, conductor) => {
  await holdLease(state, conductor);
  const arrived = new Set(state.arrived);
  // A table that does not answer keeps nobody from being told.
  const digests = await conductor.readDigests().catch((): readonly ConsumerDigest[] => []);
  const asked = consumersOf(conductor, { arrived, digests });
  const takers = await conductor.readTakers(asked, state.startedAtMs - TAKEN_BEFORE_MS);
  const unseen = takers.filter(({ took }) => took === 'no');
  const waitedMs = conductor.nowMs() - (state.arrivedAtMs ?? state.startedAtMs);
  if (unseen.length > 0 && waitedMs < CONSUMERS_WAIT_MS) {
    throw new ConsumersNotSeenError(`Nothing is seen yet of ${textOf(unseen)}.`);
  }
  const those = (took: Taker['took']) => takers.filter((one) => one.took === took);
  const after = {
    seen: those('yes').length,
    unseen: unseen.length,
    unknown: those('unknown').length,
    tookUp: those('yes').slice(0, MOST_NAMED).map(inWords),
    notSeen: unseen.slice(0, MOST_NAMED).map(inWords),
  };
  await journalStep(state, { step: 'consumers', what: 'consumers', after }, conductor);
  return { ...withFindings(state, sentences(takers, { digests, arrived, conductor })), next: 'notify' };
};

interface Known {
  readonly arrived: ReadonlySet<string>;
  readonly digests: readonly ConsumerDigest[];
}

/** Those that the config names, else those that the survey has found. */
function consumersOf({ cells }: Conductor, { arrived, digests }: Known): readonly StandbyConsumer[] {
  const found = new Map(digests.map(({ cell, readers }) => [cell, readers]));
  return cells.flatMap((cell) => {
    const stream = streamReferenceOf(cell);
    if (!arrived.has(stream)) return [];
    const readers = cell.consumers ?? found.get(cell.cell) ?? [];
    return readers.map(({ kind, name }) => ({ cell: cell.cell, stream, kind, name }));
  });
}

function sentences(
  takers: readonly Taker[],
  { digests, arrived, conductor }: Known & { readonly conductor: Conductor },
): readonly string[] {
  const those = (took: Taker['took']) => takers.filter((one) => one.took === took);
  const [took, unseen, unknown] = [those('yes'), those('no'), those('unknown')];
  return [
    ...(took.length === 0 ? [] : [`consumers of the standby that took up: ${textOf(took)}`]),
    ...(unseen.length === 0
      ? []
      : [
          `consumers of the standby of which nothing was seen within ${CONSUMERS_WAIT_MS / 1_000} s: ${textOf(unseen)}; spillway consumers`,
        ]),
    ...(unknown.length === 0
      ? []
      : [`whether these consumers of the standby took up could not be read: ${textOf(unknown)}`]),
    ...idleElsewhere(digests, { arrived, conductor }),
  ];
}

/** What the survey knew of cells where nothing has arrived so far. */
function idleElsewhere(
  digests: readonly ConsumerDigest[],
  { arrived, conductor }: Pick<Known, 'arrived'> & { readonly conductor: Conductor },
): readonly string[] {
  const quiet = new Set(
    conductor.cells.flatMap((cell) => (arrived.has(streamReferenceOf(cell)) ? [] : [cell.cell])),
  );
  const idle = digests.filter((digest) => quiet.has(digest.cell) && idleReaders(digest).length > 0);
  if (idle.length === 0) return [];
  const named = idle.slice(0, MOST_NAMED).map((digest) => {
    const names = idleReaders(digest).map((one) => readerText(one));
    return `${digest.cell} (${names.join(', ')})`;
  });
  const more = idle.length > MOST_NAMED ? ` and ${idle.length - MOST_NAMED} more cells` : '';
  return [`by the last survey, the standby would leave records unread of ${named.join(', ')}${more}`];
}

function textOf(takers: readonly Taker[]): string {
  const more = takers.length > MOST_NAMED ? ` and ${takers.length - MOST_NAMED} more` : '';
  return `${takers.slice(0, MOST_NAMED).map(inWords).join(', ')}${more}`;
}

function inWords({ cell, ageMs, ...consumer }: Taker): string {
  const age = ageMs === undefined ? '' : `, ${(ageMs / 1_000).toFixed(1)} s behind`;
  return `${readerText(consumer)} of ${cell}${age}`;
}
