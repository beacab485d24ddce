/** Work long enough for a scheduler to share out, and short enough to wait for. */
const WORK_MS = 50;

/**
 * Measures how much of a core this process gets when it wants one, from 0 to 1; an idle machine gives the
 * whole core. Blocks the event loop for as long as the work takes.
 */
export function cpuShare(): number {
  const startedMs = performance.now();
  const before = process.cpuUsage();
  const usedMs = (): number => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  };
  while (usedMs() < WORK_MS);
  return Math.min(1, usedMs() / (performance.now() - startedMs));
}
