/** A DNS server that did not answer what it was asked. */
export class DnsQuestionError extends Error {
  override readonly name = 'DnsQuestionError';
}

/** A host whose addresses could not be found out. `code` is that of node's own lookup. */
export class HostLookupError extends Error {
  override readonly name = 'HostLookupError';
  /** `ENOTFOUND`: there is no such host. `EAI_AGAIN`: nobody answered. */
  readonly code: 'ENOTFOUND' | 'EAI_AGAIN';
  readonly hostname: string;

  constructor(
    hostname: string,
    { code, why }: { readonly code: HostLookupError['code']; readonly why: string },
  ) {
    super(`${hostname} cannot be looked up: ${why}`);
    this.code = code;
    this.hostname = hostname;
  }
}
