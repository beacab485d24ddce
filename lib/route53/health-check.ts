import { HealthCheckError } from './errors.ts';

/**
 * Health checks as Route 53 aggregates them: pure rules, shared by the simulator and the real-time data plane.
 * Source: "How Amazon Route 53 determines whether a health check is healthy" (Route 53 Developer Guide), and
 * "HealthCheckConfig" (API Reference). What neither page says is marked [inferred].
 */

/** The regions a check is made from when it names none ("HealthCheckConfig", Regions). */
export const checkerRegions = [
  'us-east-1',
  'us-west-1',
  'us-west-2',
  'eu-west-1',
  'ap-southeast-1',
  'ap-southeast-2',
  'ap-northeast-1',
  'sa-east-1',
] as const;

/** "Healthy" needs more than this share of the checkers. AWS says that the value may change. */
const HEALTHY_SHARE_PERCENT = 18;
/** "at most 255 child health checks" (quotas). */
const MAX_CHILDREN = 255;

interface CheckCommon {
  readonly id: string;
  readonly inverted: boolean;
  readonly disabled: boolean;
}

interface EndpointCommon extends CheckCommon {
  readonly kind: 'endpoint';
  readonly fqdn?: string;
  readonly ip?: string;
  readonly port: number;
  /** Starts with `/`; may hold a query string. */
  readonly resourcePath: string;
  /** From the end of one request of a checker to the start of its next. */
  readonly requestIntervalSeconds: 10 | 30;
  /** 1 to 10: consecutive results, passed or failed, that change one checker's opinion. */
  readonly failureThreshold: number;
  readonly regions: readonly string[];
  readonly enableSni: boolean;
}

export type PassRule =
  | { readonly type: 'HTTP' | 'HTTPS' | 'TCP' }
  | { readonly type: 'HTTP_STR_MATCH' | 'HTTPS_STR_MATCH'; readonly searchString: string };

export type EndpointCheck = EndpointCommon & PassRule;

export interface CalculatedCheck extends CheckCommon {
  readonly kind: 'calculated';
  readonly children: readonly string[];
  /** Absent: all children. */
  readonly healthThreshold?: number;
}

export type HealthCheck = EndpointCheck | CalculatedCheck;

export interface CheckerCount {
  readonly healthy: number;
  readonly total: number;
}

/**
 * The status of an endpoint check from its checkers' opinions. Inversion comes after the aggregation: an inverted
 * check is unhealthy as soon as more than 18 % of the checkers see its marker, and healthy again only when 82 % or
 * more have stopped seeing it.
 */
export function endpointHealthy(check: EndpointCheck, checkers: CheckerCount): boolean {
  const observed =
    check.disabled || checkers.total === 0 || checkers.healthy * 100 > HEALTHY_SHARE_PERCENT * checkers.total;
  return observed !== check.inverted;
}

/** The status of a calculated check from the number of its children that are healthy, each after its own inversion. */
export function calculatedHealthy(check: CalculatedCheck, healthyChildren: number): boolean {
  const observed = check.disabled || healthyChildren >= (check.healthThreshold ?? check.children.length);
  return observed !== check.inverted;
}

/**
 * Checks the relations within a set of checks: children exist, are not calculated checks themselves, and are
 * few enough.
 * @throws HealthCheckError naming the check and what to change.
 */
export function indexHealthChecks(checks: readonly HealthCheck[]): ReadonlyMap<string, HealthCheck> {
  const byId = new Map(checks.map((check) => [check.id, check]));
  if (byId.size !== checks.length) {
    throw new HealthCheckError('Two health checks have the same id; give every check once.');
  }
  for (const check of checks) {
    if (check.kind === 'calculated') assertChildren(check, byId);
  }
  return byId;
}

function assertChildren(check: CalculatedCheck, byId: ReadonlyMap<string, HealthCheck>): void {
  if (check.children.length > MAX_CHILDREN) {
    throw new HealthCheckError(
      `Calculated check ${check.id} has ${check.children.length} children; Route 53 takes ${MAX_CHILDREN} at most.`,
    );
  }
  for (const childId of check.children) {
    const child = byId.get(childId);
    if (child === undefined) {
      throw new HealthCheckError(
        `Calculated check ${check.id} refers to ${childId}, which does not exist: remove the child or create it.`,
      );
    }
    if (child.kind === 'calculated') {
      throw new HealthCheckError(
        `Calculated check ${check.id} has the calculated check ${childId} as a child. Route 53 does not nest them: list the endpoint checks themselves.`,
      );
    }
  }
}
