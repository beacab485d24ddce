import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { ownCertificate } from '../../lib/sidecar/certificate.ts';
import { Sidecar } from '../../lib/sidecar/sidecar.ts';
import { SIDECAR_CELL, type SidecarLifeOptions } from './sidecar-life.ts';
import { tightProducer } from './targets.ts';

/** As in `application.ts`. */
const REPORT_FD = 3;

const { directory, url, port } = JSON.parse(process.argv[2] ?? '{}') as SidecarLifeOptions;
const { signal, regions, streamName, spool, ...producer } = tightProducer({ directory, url });
const tls = await ownCertificate(join(directory, 'tls'), Date.now());
const sidecar = new Sidecar({
  cells: [{ name: SIDECAR_CELL, signal, regions, streams: { [regions[0] as string]: { name: streamName } } }],
  producer: { ...producer, spoolDirectory: spool.directory, spoolAfterMs: spool.afterMs },
  listen: { host: '127.0.0.1', port },
  tls,
});
await sidecar.start();
writeSync(REPORT_FD, 'open\n');
