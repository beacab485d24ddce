/** A DNS server that did not answer what it was asked. */
export class DnsQuestionError extends Error {
  override readonly name = 'DnsQuestionError';
}
