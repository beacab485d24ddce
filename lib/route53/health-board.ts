import { type CheckerState, newChecker, observe } from './checker.ts';
import { HealthCheckError } from './errors.ts';
import {
  type CalculatedCheck,
  calculatedHealthy,
  type EndpointCheck,
  endpointHealthy,
  type HealthCheck,
  indexHealthChecks,
} from './health-check.ts';

export interface HealthChange {
  readonly healthCheckId: string;
  readonly kind: HealthCheck['kind'];
  readonly healthy: boolean;
}

/** Names one checker of a check, for example `eu-west-1/1`. */
export type CheckerId = string;

interface EndpointEntry {
  readonly check: EndpointCheck;
  readonly checkers: Map<CheckerId, CheckerState>;
  healthyCheckers: number;
}

/**
 * The statuses of a set of health checks, kept up to date result by result. It has no clock and starts no request:
 * whoever owns it decides when which checker reports, in virtual or in real time.
 */
export class HealthBoard {
  readonly #checkersPerRegion: number;
  #endpoints = new Map<string, EndpointEntry>();
  #parents = new Map<string, CalculatedCheck[]>();
  #checks: ReadonlyMap<string, HealthCheck> = new Map();
  #status = new Map<string, boolean>();

  /** @throws HealthCheckError if the checks contradict each other. */
  constructor(checks: readonly HealthCheck[], checkersPerRegion: number) {
    this.#checkersPerRegion = checkersPerRegion;
    this.replace(checks);
  }

  get checks(): readonly HealthCheck[] {
    return [...this.#checks.values()];
  }

  /** @throws HealthCheckError for an id that is not on the board. */
  isHealthy(healthCheckId: string): boolean {
    const status = this.#status.get(healthCheckId);
    if (status === undefined) throw unknownCheck(healthCheckId);
    return status;
  }

  /** The checkers of an endpoint check; each reports under its own name. */
  checkersOf(check: EndpointCheck): readonly CheckerId[] {
    return check.regions.flatMap((region) =>
      Array.from({ length: this.#checkersPerRegion }, (_, index) => `${region}/${index}`),
    );
  }

  /** Takes in one result of one checker; returns what changed, the endpoint check before its calculated checks. */
  report(healthCheckId: string, checker: CheckerId, passed: boolean): readonly HealthChange[] {
    const entry = this.#endpoints.get(healthCheckId);
    const state = entry?.checkers.get(checker);
    if (entry === undefined || state === undefined)
      throw unknownCheck(`${healthCheckId} (checker ${checker})`);
    const next = observe(state, passed, entry.check.failureThreshold);
    entry.checkers.set(checker, next);
    if (next.healthy === state.healthy) return [];
    entry.healthyCheckers += next.healthy ? 1 : -1;
    return this.#settle(entry.check);
  }

  /**
   * Puts another set of checks in place. Checkers that stay keep their opinion; new ones start as for a new check.
   * Returns the changes among checks that stay.
   */
  replace(checks: readonly HealthCheck[]): readonly HealthChange[] {
    const index = indexHealthChecks(checks);
    const previous = { endpoints: this.#endpoints, status: this.#status };
    this.#checks = index;
    this.#endpoints = new Map();
    this.#parents = new Map();
    this.#status = new Map();
    for (const check of checks) {
      if (check.kind === 'endpoint') this.#addEndpoint(check, previous.endpoints.get(check.id));
    }
    for (const check of checks) {
      if (check.kind === 'calculated') this.#addCalculated(check);
    }
    return checks
      .filter(
        (check) => (previous.status.get(check.id) ?? this.isHealthy(check.id)) !== this.isHealthy(check.id),
      )
      .map((check) => this.#changeOf(check));
  }

  #addEndpoint(check: EndpointCheck, previous: EndpointEntry | undefined): void {
    const checkers = new Map<CheckerId, CheckerState>();
    for (const id of this.checkersOf(check)) checkers.set(id, previous?.checkers.get(id) ?? newChecker);
    const healthyCheckers = [...checkers.values()].filter((state) => state.healthy).length;
    this.#endpoints.set(check.id, { check, checkers, healthyCheckers });
    this.#status.set(check.id, endpointHealthy(check, { healthy: healthyCheckers, total: checkers.size }));
  }

  #addCalculated(check: CalculatedCheck): void {
    for (const child of check.children)
      this.#parents.set(child, [...(this.#parents.get(child) ?? []), check]);
    this.#status.set(check.id, this.#calculate(check));
  }

  #calculate(check: CalculatedCheck): boolean {
    return calculatedHealthy(check, check.children.filter((child) => this.isHealthy(child)).length);
  }

  #settle(check: EndpointCheck): readonly HealthChange[] {
    const entry = this.#endpoints.get(check.id);
    if (entry === undefined) throw unknownCheck(check.id);
    const healthy = endpointHealthy(check, { healthy: entry.healthyCheckers, total: entry.checkers.size });
    if (healthy === this.#status.get(check.id)) return [];
    this.#status.set(check.id, healthy);
    const changed: HealthCheck[] = [check];
    for (const parent of this.#parents.get(check.id) ?? []) {
      const parentHealthy = this.#calculate(parent);
      if (parentHealthy === this.#status.get(parent.id)) continue;
      this.#status.set(parent.id, parentHealthy);
      changed.push(parent);
    }
    return changed.map((each) => this.#changeOf(each));
  }

  #changeOf(check: HealthCheck): HealthChange {
    return { healthCheckId: check.id, kind: check.kind, healthy: this.isHealthy(check.id) };
  }
}

function unknownCheck(what: string): HealthCheckError {
  return new HealthCheckError(`No health check ${what} is known here; read the zone's checks again.`);
}
