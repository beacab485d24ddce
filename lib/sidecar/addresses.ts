import { once } from 'node:events';
import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { UsageError } from '../operate/errors.ts';
import type { SidecarOptions } from './options.ts';

/** Signatures of clients are not verified: who can connect can write. @throws UsageError */
export function assertSafe({ listen, socket, allowRemote, tls }: SidecarOptions): void {
  if (listen === undefined && socket === undefined) {
    throw new UsageError('A sidecar listens somewhere: give --listen 127.0.0.1:4567 or --socket PATH.');
  }
  if (listen === undefined || isLoopback(listen.host)) return;
  if (allowRemote !== true) {
    throw new UsageError(
      `${listen.host} is not a loopback address, and whoever can connect can write: listen on 127.0.0.1, or give --allow-remote with --client-ca.`,
    );
  }
  if (tls.clientCa === undefined) {
    throw new UsageError(
      '--allow-remote needs --client-ca: each client then has to show a certificate of that authority.',
    );
  }
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);

/** Removes the socket of a process that has ended. @throws UsageError while somebody listens there */
export async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found !== undefined && !found.isSocket()) {
    throw new UsageError(`${path} is there, and is no socket: name another path for --socket.`);
  }
  const client = connect(path);
  try {
    await once(client, 'connect');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ECONNREFUSED') await unlink(path);
    return;
  } finally {
    client.destroy();
  }
  throw new UsageError(`Another process listens on ${path}: end it first, or name another path.`);
}
