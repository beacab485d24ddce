import { join } from 'node:path';

/** Where one run keeps its logs and files. */
export function runDirectory(root: string, atMs: number, pid: number): string {
  const stamp = new Date(atMs).toISOString().replaceAll(/[:.]/g, '-');
  return join(root, '.spillway', 'runs', `${stamp}-${pid}`);
}
