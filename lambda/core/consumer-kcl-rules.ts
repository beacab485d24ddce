import { mendLeases } from './consumer-commands.ts';
import type { KclFacts, LeaseFacts } from './consumer-facts.ts';
import { behind, type Found, found, type RegionContext } from './consumer-found.ts';
import { spanText, storedText } from './consumer-words.ts';

/** What is wrong with an application of the KCL in one region. */
export function findKcl(facts: KclFacts, context: RegionContext): readonly Found[] {
  const { consumer, stream } = context;
  const { region } = stream;
  if (facts.table === 'missing') {
    const text = `there is no lease table ${consumer} in ${region}: the application has never run there`;
    const fix = `Start the application in ${region}, or correct the name of the table in the config.`;
    return [found('lease-table-missing', text, fix)];
  }
  if (facts.table === 'foreign') {
    const text = `table ${consumer} in ${region} is no lease table of the KCL${facts.foreign === undefined ? '' : `: ${facts.foreign}`}`;
    return [found('not-a-lease-table', text, 'Correct the name of the table in the config.')];
  }
  const { leases } = facts;
  if (leases === undefined) return [];
  if (leases.open === 0 && leases.otherStreams.length > 0) {
    const text = `lease table ${consumer} in ${region} has leases of ${leases.otherStreams.join(', ')}, and none of ${stream.name}`;
    const fix = 'Give the application the cell’s stream, or correct the name of the table in the config.';
    return [found('leases-of-another-stream', text, fix)];
  }
  return [...leaseFindings(leases, context), ...behind(facts, context)];
}

function leaseFindings(leases: LeaseFacts, context: RegionContext): readonly Found[] {
  const { consumer, stream, role } = context;
  const { region } = stream;
  const { open, owned, renewed, strange, staleKeys: keys = [] } = leases;
  if (open === 0) {
    const text = `lease table ${consumer} in ${region} has no lease of an open shard: the application has not run, and begins where its own settings say (LATEST unless they say otherwise)`;
    return [found('not-running', text, `Start the application in ${region}.`)];
  }
  const mend = { role, region, table: consumer, keys };
  if (strange > 0) {
    const text = `${strange} of ${open} leases in ${consumer} in ${region} have a checkpoint that is none of stream ${stream.name}: it was deleted and created again, or is another one`;
    return [found('stale-lease', text, mendLeases({ ...mend, isStrange: true }))];
  }
  // Without a second look nobody knows whether the leases are held.
  if (renewed === undefined) return [];
  if (renewed > 0) return heldFindings({ ...leases, renewed }, context);
  // With a long `failoverTimeMillis` a worker that is well renews none of them for so long.
  if (owned > 0 && leases.watchedLong !== true) return [];
  return idleFindings(leases, context);
}

/** Nobody holds any lease. */
function idleFindings(
  leases: LeaseFacts,
  { consumer, stream, role, nowMs }: RegionContext,
): readonly Found[] {
  const { region, stored } = stream;
  const { open, owned, behind: old = 0, behindMs, staleKeys: keys = [] } = leases;
  const hint =
    owned === 0 ? '' : '; one that runs with a failoverTimeMillis of more than 60 s may look the same';
  const held = `no worker renews the ${open} ${open === 1 ? 'lease' : 'leases'} in ${consumer} in ${region}${hint}`;
  if (old > 0) {
    const age = behindMs === undefined ? '' : ` (up to ${spanText(behindMs)})`;
    const text = `${held}; and ${old} ${old === 1 ? 'has' : 'have'} a checkpoint older than the last records${age}: the application would first read those`;
    const fix = mendLeases({ role, region, table: consumer, keys, isStrange: false });
    return [found('stale-lease', text, fix)];
  }
  const replay =
    leases.atTrimHorizon > 0 && stored !== undefined && stored.records > 0
      ? `; it would begin with the oldest record, and replay ${storedText(stored, nowMs)}`
      : '';
  return [found('not-running', `${held}${replay}`, `Start the application in ${region}.`)];
}

/** A worker runs; that it holds all leases, and reads, is another matter. */
function heldFindings(
  { open, renewed, atLatest = 0, unread = 0 }: LeaseFacts & { readonly renewed: number },
  { consumer, stream }: RegionContext,
): readonly Found[] {
  const { region } = stream;
  const all: Found[] = [];
  if (unread > 0) {
    const text = `${unread} of ${open} leases in ${consumer} in ${region} are held, were never checkpointed, and have records of the last hour in their shards that are older than a minute: the application reads nothing, or never checkpoints`;
    all.push(found('reads-nothing', text, `Look at the log of the application in ${region}.`));
  } else if (atLatest > 0) {
    const text = `${atLatest} of ${open} leases in ${consumer} in ${region} still begin at LATEST: a restart before their first checkpoint misses what arrived meanwhile`;
    const fix =
      'Nothing, once it has checkpointed. For new tables, set initialPositionInStream to TRIM_HORIZON in the standby.';
    all.push(found('starts-latest', text, fix));
  }
  if (renewed < open) {
    const text = `${open - renewed} of ${open} leases in ${consumer} in ${region} were not renewed while they were watched, and the others were: they are on their way to another worker, or their own has a failoverTimeMillis of more than 60 s`;
    all.push(found('leases-in-transit', text, 'Look again in a few minutes.'));
  }
  return all;
}
