import { afterAll, vi } from 'vitest';

/** Runs around each test file of the tiers whose files share a process: what one file has changed, the next does not find. */
const { exitCode } = process;
afterAll(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
  process.exitCode = exitCode;
});
