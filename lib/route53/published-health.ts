import type { HealthChange } from './health-board.ts';
import type { HealthCheck } from './health-check.ts';

interface Published {
  healthy: boolean;
  /** Changes on their way, oldest first. */
  readonly coming: { readonly dueMs: number; readonly healthy: boolean }[];
}

/** The statuses that DNS answers follow: those of a board, a fixed delay later. Has no clock; times are handed in. */
export class PublishedHealth {
  readonly #delayMs: number;
  readonly #byId = new Map<string, Published>();

  constructor(delayMs: number) {
    this.#delayMs = delayMs;
  }

  /** Unknown checks are unhealthy; `reset` makes checks known. */
  isHealthy(healthCheckId: string, nowMs: number): boolean {
    const published = this.#byId.get(healthCheckId);
    if (published === undefined) return false;
    while (published.coming[0] !== undefined && published.coming[0].dueMs <= nowMs) {
      published.healthy = published.coming.shift()?.healthy ?? published.healthy;
    }
    return published.healthy;
  }

  follow({ healthCheckId, healthy }: HealthChange, nowMs: number): void {
    this.isHealthy(healthCheckId, nowMs);
    this.#byId.get(healthCheckId)?.coming.push({ dueMs: nowMs + this.#delayMs, healthy });
  }

  /** Takes over new checks with their present status, and drops checks that are gone. */
  reset(checks: readonly HealthCheck[], isHealthy: (healthCheckId: string) => boolean): void {
    const ids = new Set(checks.map((check) => check.id));
    for (const id of this.#byId.keys()) if (!ids.has(id)) this.#byId.delete(id);
    for (const id of ids) if (!this.#byId.has(id)) this.#byId.set(id, { healthy: isHealthy(id), coming: [] });
  }
}
