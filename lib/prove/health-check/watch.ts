import type { Report } from './sample.ts';
import {
  allPrimary,
  allStandby,
  type HealthCheckSeen,
  type Phase,
  type PhaseSeen,
  phases,
  type Sample,
} from './sample.ts';

/** What the check asks. */
export interface Asks {
  readonly host: string;
  readonly path: string;
  /** The text that makes the inverted check unhealthy. */
  readonly text: string;
}

/** Everything outside that the experiment uses. Each call has its own time-out. */
export interface HealthCheckPorts {
  /** Creates the check. @returns its id */
  readonly createCheck: (asks: Asks) => Promise<string>;
  /** Creates the records. @throws RecordsRefusedError when AWS does not take them */
  readonly createRecords: (checkId: string) => Promise<void>;
  readonly changeCheck: (checkId: string, asks: Asks) => Promise<void>;
  /** Undefined: no answer. */
  readonly reports: (checkId: string) => Promise<readonly Report[] | undefined>;
  /** Asks each of the zone's name servers once. */
  readonly askZone: () => Promise<Omit<Sample, 'atMs' | 'reports'>>;
  /** Deletes what was created, the records first. Never throws; says what is left. */
  readonly remove: (checkId: string | undefined) => Promise<void>;
  readonly nowMs: () => number;
  /** @throws when interrupted */
  readonly sleep: (ms: number) => Promise<void>;
  readonly say: (text: string) => void;
  /** A dry run: each loop looks once. */
  readonly rehearsing: boolean;
}

export interface HealthCheckPlan {
  readonly asks: Readonly<Record<Phase, Asks>>;
  readonly ttlSeconds: number;
}

/** AWS does not take the records as they are. */
export class RecordsRefusedError extends Error {
  override readonly name = 'RecordsRefusedError';
}

interface Limit {
  readonly mostMs: number;
  /** When the phase has shown everything; absent: it takes all of its time. */
  readonly until?: (sample: Sample) => boolean;
}

/** Five calls of GetHealthCheckStatus a second are allowed to the whole account. */
const EVERY_MS = 1_000;
const minutes = (count: number): number => count * 60_000;
/** Checkers of an endpoint in one region, of 8, so that all have reported as a rule. */
const MANY_REPORTS = 12;
const hasManyReports = ({ reports = [] }: Sample): boolean =>
  reports.filter(({ status }) => status !== undefined).length >= MANY_REPORTS;

const limits: Readonly<Record<Phase, Limit>> = {
  new: { mostMs: minutes(3), until: (sample) => allPrimary(sample) && hasManyReports(sample) },
  'text-shown': { mostMs: minutes(2), until: allStandby },
  'text-gone': { mostMs: minutes(2), until: allPrimary },
  'other-host': { mostMs: minutes(1) },
  'error-status': { mostMs: minutes(1) },
};
/** After its end, a phase is watched a little longer: the next one begins with quiet answers. */
const SETTLE_LOOKS = 3;

/**
 * Lets one health check of its own go through the phases, and looks at it and at DNS each second. Whatever
 * happens, what was created is deleted at the end.
 *
 * @throws what a port throws when it could not be carried out
 */
export async function watchHealthCheck(
  plan: HealthCheckPlan,
  ports: HealthCheckPorts,
): Promise<HealthCheckSeen> {
  const seen: Partial<Record<Phase, PhaseSeen>> = {};
  let checkId: string | undefined;
  try {
    const beganAtMs = ports.nowMs();
    ports.say(phases.new);
    checkId = await ports.createCheck(plan.asks.new);
    await ports.createRecords(checkId);
    seen.new = { beganAtMs, samples: await look(checkId, limits.new, ports) };
    for (const phase of Object.keys(phases).filter((name) => name !== 'new') as Exclude<Phase, 'new'>[]) {
      ports.say(phases[phase]);
      await ports.changeCheck(checkId, plan.asks[phase]);
      seen[phase] = { beganAtMs: ports.nowMs(), samples: await look(checkId, limits[phase], ports) };
    }
    return { ttlSeconds: plan.ttlSeconds, phases: seen };
  } catch (error) {
    if (!(error instanceof RecordsRefusedError)) throw error;
    return { ttlSeconds: plan.ttlSeconds, phases: seen, recordsRefused: error.message };
  } finally {
    await ports.remove(checkId);
  }
}

async function look(
  checkId: string,
  { mostMs, until }: Limit,
  ports: HealthCheckPorts,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const endsAtMs = ports.nowMs() + mostMs;
  let settled = 0;
  do {
    const [reports, zone] = await Promise.all([ports.reports(checkId), ports.askZone()]);
    const sample = { atMs: ports.nowMs(), ...zone, reports };
    samples.push(sample);
    if (until?.(sample)) settled++;
    await ports.sleep(EVERY_MS);
  } while (!ports.rehearsing && settled < SETTLE_LOOKS && ports.nowMs() < endsAtMs);
  return samples;
}
