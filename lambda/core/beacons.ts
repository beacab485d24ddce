import { countedIn, expiresAtMs, MOST_LAG_MS, SEEN_LATELY_MS } from './beacon-item.ts';
import type { BeaconMemory, RememberedBeacon } from './beacon-memory.ts';
import type { Policy } from './policy.ts';
import type { Role } from './role.ts';

/**
 * `failing`: a quorum of sources reports failures. `suspicious`: fewer, but enough to look by in-band probes. `well`:
 * enough sources and nearly none fails. `unknown`: too little is known.
 */
export type BeaconSight = 'failing' | 'suspicious' | 'well' | 'unknown';

/** What the producers of a cell report, as one observer reads their beacons. */
export interface CellBeacons {
  readonly cell: string;
  readonly sight: BeaconSight;
  /** Sources with a beacon that has not expired. */
  readonly sources: number;
  readonly failing: number;
  /** Why this is not `failing`, in words, when some sources fail. */
  readonly reason?: string;
  /** Most of the failing sources fail in the standby too, or a quorum fails there: it is not the region. */
  readonly failsInStandbyToo?: boolean;
}

export interface BeaconCell {
  readonly cell: string;
  readonly streams: Readonly<Record<Role, string>>;
}

export interface BeaconQuestion {
  readonly memory: BeaconMemory;
  readonly cells: readonly BeaconCell[];
  readonly regions: Readonly<Record<Role, string>>;
  readonly policy: Pick<Policy, 'minimumGain'>;
  readonly nowMs: number;
  /** All beacons were read lately, not only those that report trouble. Otherwise nobody knows of how many they are. */
  readonly isComplete: boolean;
}

/** Attempts from which on a source has something to say. */
const LEAST_ATTEMPTS = 20;
const QUORUM_SOURCES = 5;
const QUORUM_ATTEMPTS = 100;
/** Share of the sources outside the failing domain from which on one of them has to fail too. */
const OUTSIDE_SHARE = 1 / 3;
const SUSPICIOUS_SOURCES = 2;
const SUSPICIOUS_SHARE = 0.05;
/** Healthy share of the sources that have something to say. */
const WELL_SHARE = 0.9;

/** One source: all processes of one principal together, which is one voice however many they are. */
interface Source {
  counted: number;
  failed: number;
  isCurrent: boolean;
  /** Since when it has said that a region fails, as far as it still says so. */
  failingSinceMs: number;
  /** When its last beacon expired, and whether that one said that the region fails. */
  goneAtMs: number;
  wentFailing: boolean;
  readonly domains: Set<string>;
}
type Sources = Map<string, Source>;
type Voice = 'failing' | 'healthy' | 'undecided' | 'unknown';

/** What the beacons say of each cell. Cells of which none speaks are left out. */
export function judgeBeacons(question: BeaconQuestion): readonly CellBeacons[] {
  const { cells } = question;
  const sources = sourcesByCell(question);
  return cells.flatMap(({ cell }) => {
    const of = sources.get(cell);
    return of === undefined ? [] : [judged(cell, of, question)];
  });
}

type ByRole = Readonly<Record<Role, Sources>>;

function sourcesByCell(question: BeaconQuestion): ReadonlyMap<string, ByRole> {
  const { memory, cells, regions, nowMs } = question;
  const places = new Map<string, { readonly cell: string; readonly role: Role }>();
  for (const { cell, streams } of cells) {
    for (const role of ['primary', 'standby'] as const) {
      places.set(`${regions[role]} ${streams[role]}`, { cell, role });
    }
  }
  const found = new Map<string, ByRole>();
  for (const beacon of memory.values()) {
    if (expiresAtMs(beacon) + SEEN_LATELY_MS <= nowMs) continue;
    for (const region of Object.keys(beacon.regions)) {
      const place = places.get(`${region} ${beacon.stream}`);
      if (place === undefined) continue;
      const roles: ByRole = found.get(place.cell) ?? { primary: new Map(), standby: new Map() };
      found.set(place.cell, roles);
      addBeacon(roles[place.role], { beacon, region, question });
    }
  }
  return found;
}

function addBeacon(
  sources: Sources,
  {
    beacon,
    region,
    question,
  }: { readonly beacon: RememberedBeacon; readonly region: string; readonly question: BeaconQuestion },
): void {
  const source = sources.get(beacon.source) ?? newSource();
  sources.set(beacon.source, source);
  const tally = beacon.regions[region];
  // A process that did not run in time does not know whether the region or itself was late.
  const { counted, failed } =
    tally === undefined || beacon.lagMs > MOST_LAG_MS ? { counted: 0, failed: 0 } : countedIn(tally);
  const expiryMs = expiresAtMs(beacon);
  if (expiryMs <= question.nowMs) {
    if (expiryMs < source.goneAtMs) return;
    source.wentFailing =
      failed > counted * question.policy.minimumGain || (source.wentFailing && expiryMs === source.goneAtMs);
    source.goneAtMs = expiryMs;
    return;
  }
  source.isCurrent = true;
  source.counted += counted;
  source.failed += failed;
  if (counted > 0) source.domains.add(beacon.domain);
  if (failed > 0)
    source.failingSinceMs = Math.min(source.failingSinceMs, beacon.failingSinceMs ?? beacon.atMs);
}

const newSource = (): Source => ({
  counted: 0,
  failed: 0,
  isCurrent: false,
  failingSinceMs: Number.POSITIVE_INFINITY,
  goneAtMs: Number.NEGATIVE_INFINITY,
  wentFailing: false,
  domains: new Set<string>(),
});

function voiceOf({ isCurrent, counted, failed }: Source, minimumGain: number): Voice {
  if (!isCurrent || counted < LEAST_ATTEMPTS) return 'unknown';
  const share = failed / counted;
  if (share > minimumGain) return 'failing';
  return share < minimumGain / 2 ? 'healthy' : 'undecided';
}

/** The sources of a cell’s stream in one region, counted. */
interface Count {
  /** Sources whose beacon holds, and those that have fallen silent in the present trouble. */
  readonly current: number;
  readonly silenced: number;
  readonly failing: readonly Source[];
  readonly healthy: number;
  /** Those that have something to say. */
  readonly voices: readonly Source[];
  /** Failing sources that fail in the standby too. */
  readonly inStandbyToo: number;
  readonly isComplete: boolean;
}

interface QuorumRule {
  readonly holds: (count: Count) => boolean;
  readonly otherwise: (count: Count) => string;
}

/**
 * All of a small fleet. Of what is silent, that counts which the trouble may have silenced; what had gone before, as after a
 * deployment, is no part of the fleet. As current and silenced ones are the whole fleet, the larger of both is at least half of
 * it, and no minority is a quorum.
 */
const neededOf = ({ current, silenced }: Count): number =>
  Math.min(QUORUM_SOURCES, Math.max(current, silenced));
const attemptsOf = (sources: readonly Source[]): number =>
  sources.reduce((sum, { counted }) => sum + counted, 0);

/** What makes a quorum, in the order in which it is said what is missing. */
const regionRules: readonly QuorumRule[] = [
  {
    holds: ({ isComplete }) => isComplete,
    otherwise: () => 'not all beacons have been read yet',
  },
  {
    holds: (count) => count.failing.length > 0 && count.failing.length >= neededOf(count),
    otherwise: (count) =>
      `${count.failing.length} of ${count.current + count.silenced} sources fail, and a quorum needs ${neededOf(count)}`,
  },
  {
    holds: ({ failing }) => attemptsOf(failing) >= QUORUM_ATTEMPTS,
    otherwise: ({ failing }) =>
      `the failing sources made ${attemptsOf(failing)} attempts, and a quorum needs ${QUORUM_ATTEMPTS}`,
  },
  {
    holds: ({ failing, voices }) => failing.length > voices.length / 2,
    otherwise: ({ failing, voices }) =>
      `${failing.length} of the ${voices.length} sources that put enough records fail, which is not more than half`,
  },
  {
    holds: (count) => soleDomain(count) === undefined,
    otherwise: (count) => `all failing sources are in ${soleDomain(count)}, and those elsewhere are well`,
  },
];
const rules: readonly QuorumRule[] = [
  ...regionRules,
  {
    holds: (count) => count.inStandbyToo <= count.failing.length / 2,
    otherwise: () => 'the same sources fail in the standby too, so it is not the region',
  },
];

/**
 * The one domain in which all failures are, where sources elsewhere could contradict. Sources name their own domain,
 * so fewer than a third of them must not be able to claim another one and to hold up the rest by that.
 */
function soleDomain({ failing, voices }: Count): string | undefined {
  const [domain, ...more] = new Set(failing.flatMap(({ domains }) => [...domains]));
  if (domain === undefined || more.length > 0) return undefined;
  const elsewhere = voices.filter(({ domains }) => !domains.has(domain)).length;
  return elsewhere >= voices.length * OUTSIDE_SHARE ? domain : undefined;
}

function judged(cell: string, { primary, standby }: ByRole, question: BeaconQuestion): CellBeacons {
  const count = counted(primary, { other: standby, question });
  const there = counted(standby, { other: primary, question });
  const missing = rules.find(({ holds }) => !holds(count));
  // In health hardly anybody writes to the standby, so those who do are no quorum by themselves: of all sources of the cell
  // more than half must fail there, or of those that fail in the primary. A minority of liars forbids nothing.
  const everybody = presentIn({ primary, standby }, there.failing);
  const failsInStandbyToo =
    (count.failing.length > 0 && count.inStandbyToo > count.failing.length / 2) ||
    (there.failing.length > everybody / 2 && regionRules.every(({ holds }) => holds(there)));
  return {
    cell,
    sight: missing === undefined ? 'failing' : sightBelow(count),
    sources: count.current,
    failing: count.failing.length,
    ...(count.failing.length > 0 && missing !== undefined ? { reason: missing.otherwise(count) } : {}),
    ...(failsInStandbyToo ? { failsInStandbyToo } : {}),
  };
}

function counted(
  sources: Sources,
  { other, question }: { readonly other: Sources; readonly question: BeaconQuestion },
): Count {
  const { minimumGain } = question.policy;
  const failing: Source[] = [];
  const voices: Source[] = [];
  let [current, healthy, inStandbyToo] = [0, 0, 0];
  for (const [name, source] of sources) {
    if (source.isCurrent) current++;
    const voice = voiceOf(source, minimumGain);
    if (voice === 'unknown') continue;
    voices.push(source);
    if (voice === 'healthy') healthy++;
    if (voice !== 'failing') continue;
    failing.push(source);
    const elsewhere = other.get(name);
    if (elsewhere !== undefined && voiceOf(elsewhere, minimumGain) === 'failing') inStandbyToo++;
  }
  const sinceMs = troubleSinceMs(failing);
  const silenced = [...sources.values()].filter((source) => isSilenced(source, sinceMs)).length;
  const { isComplete } = question;
  return { current, silenced, failing, healthy, voices, inStandbyToo, isComplete };
}

/**
 * When the present trouble began: the middle one of the times that the failing sources give, so that a minority of them cannot
 * move it. Infinity where none fails.
 */
function troubleSinceMs(failing: readonly Source[]): number {
  const times = failing.map(({ failingSinceMs }) => failingSinceMs).toSorted((a, b) => a - b);
  return times[Math.floor((times.length - 1) / 2)] ?? Number.POSITIVE_INFINITY;
}

/** Whether a source is silent, and may be so because of the trouble: it failed at the end, or was heard until then. */
const isSilenced = ({ isCurrent, wentFailing, goneAtMs }: Source, sinceMs: number): boolean =>
  !isCurrent && (wentFailing || goneAtMs >= sinceMs);

/** Sources of a cell, in either region, that speak or were silenced by a trouble of which these are failing. */
function presentIn({ primary, standby }: ByRole, failing: readonly Source[]): number {
  const sinceMs = troubleSinceMs(failing);
  const present = new Set<string>();
  for (const [name, source] of [...primary, ...standby]) {
    if (source.isCurrent || isSilenced(source, sinceMs)) present.add(name);
  }
  return present.size;
}

function sightBelow({ failing, current, healthy, voices, isComplete }: Count): BeaconSight {
  const suspicious = Math.max(SUSPICIOUS_SOURCES, current * SUSPICIOUS_SHARE);
  const allOfFew = failing.length > 0 && failing.length === current && current <= SUSPICIOUS_SOURCES;
  if (failing.length >= suspicious || allOfFew) return 'suspicious';
  const isWell =
    isComplete &&
    healthy > 0 &&
    healthy >= Math.min(QUORUM_SOURCES, current) &&
    healthy >= voices.length * WELL_SHARE;
  return isWell ? 'well' : 'unknown';
}
