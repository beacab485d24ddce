import type { CellAnswer } from '../../lib/conductor/cell-answer.ts';
import { DnsElsewhereError } from '../../lib/conductor/errors.ts';
import {
  type DeployedCell,
  groupsOf,
  spread,
  streamReferenceOf,
  watchedStreams,
} from '../../lib/settings/cells-file.ts';
import { holdLease, journalStep } from './act.ts';
import type { Conductor, Step } from './conductor.ts';
import { type RunState, scopeOf, withFindings } from './run-state.ts';

/**
 * Most cells whose signal is checked: all cells follow the same health checks, so more would only take
 * longer.
 */
const CELLS_ASKED = 100;
/** Records in flight when the switches were set belong to this evacuation as well. */
const ARRIVALS_BEFORE_MS = 60_000;

/** @throws DnsElsewhereError */
export const dns: Step = async (state, conductor) => {
  await holdLease(state, conductor);
  // A group that a newer act has sent back is not expected in the standby.
  const switches = await conductor.state.readSwitches();
  const held = new Set(switches.flatMap(({ group, position }) => (position === 'STANDBY' ? [group] : [])));
  const answers = await askSome(
    cellsOf(state, conductor).filter(({ group }) => held.has(group)),
    conductor,
  );
  const elsewhere = answers.filter(({ region }) => region !== 'standby');
  const [first] = elsewhere;
  if (first !== undefined) {
    throw new DnsElsewhereError(
      `DNS does not answer with the standby for ${elsewhere.length} of ${answers.length} cells: ${first.cell} is ${first.region}.`,
    );
  }
  const after = { standby: answers.length };
  const dnsAtMs = await journalStep(state, { step: 'dns', what: 'dns', after }, conductor);
  return { ...state, dnsAtMs, next: 'arrivals' };
};

/** The DNS answers for these cells; of many cells, a sample spread over the list. */
export const askSome = (
  cells: readonly DeployedCell[],
  conductor: Conductor,
): Promise<readonly CellAnswer[]> => conductor.askSignals(spread(cells, CELLS_ASKED).map(({ cell }) => cell));

/** Checks whether records arrive. Reads the standby alone, and a silent stream is no failure. */
export const arrivals: Step = async (state, conductor) => {
  await holdLease(state, conductor);
  const watched = new Set(watchedStreams(conductor.cells));
  const streams = cellsOf(state, conductor)
    .map(streamReferenceOf)
    .filter((stream) => watched.has(stream));
  const sinceMs = state.startedAtMs - ARRIVALS_BEFORE_MS;
  const found = await conductor.readArrivals([...new Set(streams)], sinceMs);
  const { seen, silent, unknown, unreadable } = found;
  const after = { seen: seen.length, silent: silent.length, unknown, unreadable };
  const arrivedAtMs = await journalStep(state, { step: 'arrivals', what: 'arrivals', after }, conductor);
  const findings = [
    ...unreadable.map((stream) => `stream ${stream} of the standby cannot be read`),
    ...unknown.map(
      ({ stream, why }) => `whether records arrive in stream ${stream} of the standby is not known: ${why}`,
    ),
  ];
  return { ...withFindings(state, findings), arrived: [...seen], arrivedAtMs, next: 'consumers' };
};

function cellsOf(state: RunState, { cells }: Conductor) {
  const groups = new Set(scopeOf(state.input, groupsOf(cells)));
  return cells.filter(({ group }) => groups.has(group));
}
