/**
 * One health checker's opinion of one endpoint. It starts healthy: "Route 53 considers a new health check to
 * be healthy until there's enough data", and "enough" is taken to mean that all but 18 % or fewer of the
 * checkers have each collected FailureThreshold failures [inferred]. No further rule is needed for inverted
 * checks, which AWS lets start unhealthy: they start as the inverse of healthy.
 */
export interface CheckerState {
  readonly healthy: boolean;
  /** Consecutive results so far that contradict `healthy`; always below the failure threshold. */
  readonly contrary: number;
}

export const newChecker: CheckerState = { healthy: true, contrary: 0 };

/**
 * Takes in one result. "The number of consecutive health checks that an endpoint must pass or fail for Amazon
 * Route 53 to change the current status" (HealthCheckConfig, FailureThreshold): the same count both ways.
 */
export function observe(state: CheckerState, passed: boolean, failureThreshold: number): CheckerState {
  if (passed === state.healthy) return state.contrary === 0 ? state : { healthy: state.healthy, contrary: 0 };
  const contrary = state.contrary + 1;
  return contrary >= failureThreshold
    ? { healthy: passed, contrary: 0 }
    : { healthy: state.healthy, contrary };
}
