import { type Cell, type Config, streamReference } from '../config/config.ts';
import { watchedStreams } from './cells-file.ts';

/** The cells in whose streams of the standby the conductor looks for arriving records. */
export function watchedCells({ cells }: Pick<Config, 'cells'>): readonly Cell[] {
  const watched = new Set(
    watchedStreams(cells.map(({ streams: { standby } }) => ({ stream: streamReference(standby) }))),
  );
  return cells.filter(({ streams }) => watched.has(streamReference(streams.standby)));
}
