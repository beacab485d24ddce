import { once } from 'node:events';
import { SpoolLockedError } from '../../../lib/producer/spool/errors.ts';
import { Spool } from '../../../lib/producer/spool/spool.ts';

/** Opens the spool in its first argument when told to, says how that went, and holds it until it is killed. */
const [, , directory = ''] = process.argv;
// Nothing else keeps a process alive that waits for its end.
setInterval(() => {}, 1_000);
process.send?.({ ready: true });
await once(process, 'message');
try {
  await Spool.open({ directory });
  process.send?.({ owns: true, pid: process.pid });
} catch (error) {
  if (!(error instanceof SpoolLockedError)) throw error;
  process.send?.({ owns: false, ownerPid: error.ownerPid, message: error.message });
}
