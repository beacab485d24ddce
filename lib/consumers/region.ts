import { streamReference } from '../config/config.ts';
import { withAges, withContents } from './region-contents.ts';
import { namedFunctions, withFacts } from './region-facts.ts';
import { type CellInRegion, each, type RegionQuestion, streamOf } from './region-question.ts';
import { foundOf, readRegistered, searchMappings } from './region-search.ts';
import { type DescribedStream, describeStream } from './streams.ts';

/** Of more cells, streams are not looked into: it takes several calls for each. */
const FEW_CELLS = 100;

/**
 * Reads the consumers of the cells in one region, in the order of the cells. Never throws: what is not answered is absent,
 * and the asker has the obstacle.
 */
export async function readRegion(question: RegionQuestion): Promise<readonly CellInRegion[]> {
  const { cells, deep } = question;
  const isFew = cells.length <= FEW_CELLS;
  const [described, { registered, mappings }, functions] = await Promise.all([
    deep && isFew ? describeAll(question) : [],
    search(question),
    namedFunctions(question),
  ]);
  const begun = cells.map((cell, n) =>
    foundOf(cell, { ...streamOf(question, cell), ...described[n] }, { mappings, registered: registered[n] }),
  );
  const known = await withFacts(question, { cells: begun, mappings, functions });
  if (!deep) return known;
  return withContents(question, await withAges(question, known), { looksForAggregates: isFew });
}

const describeAll = ({ cells, role, clients, asker }: RegionQuestion): Promise<readonly DescribedStream[]> =>
  each(cells, ({ streams }) =>
    describeStream(asker, { client: clients.kinesis, stream: streamReference(streams[role]) }),
  );

async function search(question: RegionQuestion) {
  const registered = await readRegistered(question);
  return { registered, mappings: await searchMappings(question, registered) };
}
