import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import type { SidecarTls } from './options.ts';

/** Names of the files in the directory of a certificate. Clients trust `ca`. */
export const certificateFiles = { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' } as const;

const DAY_MS = 24 * 60 * 60_000;
/** It is trusted on this machine alone, and a renewal has to be trusted anew by every client. */
const VALID_MS = 3_650 * DAY_MS;
const RENEW_BEFORE_MS = 30 * DAY_MS;
const OWNER_ONLY = 0o600;

export interface OwnCertificate extends SidecarTls {
  /** File that clients trust. */
  readonly caFile: string;
}

/**
 * The certificate for loopback in this directory; made when there is none, or when it expires soon. The key of its authority is not
 * kept, so nobody can make another certificate that those who trust the authority would accept.
 */
export async function ownCertificate(directory: string, nowMs: number): Promise<OwnCertificate> {
  const file = (name: keyof typeof certificateFiles): string => join(directory, certificateFiles[name]);
  const caFile = file('ca');
  const kept = await Promise.all([readFile(file('key'), 'utf8'), readFile(file('cert'), 'utf8')]).catch(
    () => undefined,
  );
  if (kept !== undefined && isValid(kept[1], nowMs)) return { key: kept[0], cert: kept[1], caFile };
  const made = await makeCertificate(nowMs);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const name of ['ca', 'cert', 'key'] as const) {
    // Renamed, so that nobody reads a half; the key last, as it must not be there without its certificate.
    const temporary = `${file(name)}.${process.pid}`;
    await writeFile(temporary, made[name], { mode: name === 'key' ? OWNER_ONLY : 0o644 });
    await rename(temporary, file(name));
  }
  return { key: made.key, cert: made.cert, caFile };
}

function isValid(cert: string, nowMs: number): boolean {
  try {
    return new X509Certificate(cert).validToDate.getTime() > nowMs + RENEW_BEFORE_MS;
  } catch {
    return false;
  }
}

async function makeCertificate(
  nowMs: number,
): Promise<Readonly<Record<keyof typeof certificateFiles, string>>> {
  const common = {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(nowMs - DAY_MS),
    notAfterDate: new Date(nowMs + VALID_MS),
  } as const;
  const ca = await generate([{ name: 'commonName', value: 'Spillway sidecar authority' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const leaf = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...common,
    ca: { key: ca.private, cert: ca.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  });
  return { ca: ca.cert, cert: leaf.cert, key: leaf.private };
}
