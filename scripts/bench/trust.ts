import { getCACertificates, setDefaultCACertificates } from 'node:tls';

/** What NODE_EXTRA_CA_CERTS does, for a certificate that is made after the start: every client verifies alike. */
export function trust(ca: string): void {
  setDefaultCACertificates([...getCACertificates('default'), ca]);
}
