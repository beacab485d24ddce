import { getCACertificates, setDefaultCACertificates } from 'node:tls';

/**
 * Does what NODE_EXTRA_CA_CERTS does, for a certificate that is made after the start, so that every client
 * verifies in the same way.
 */
export function trust(ca: string): void {
  setDefaultCACertificates([...getCACertificates('default'), ca]);
}
