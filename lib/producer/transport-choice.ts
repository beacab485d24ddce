import type { Limits, ProducerOptions } from './options.ts';
import { sdkTransport } from './sdk-transport.ts';
import type { Transport } from './transport.ts';
import { fastTransport } from './wire/fast-transport.ts';

const transports = { fast: fastTransport, sdk: sdkTransport } as const;

/** The transport that the options ask for. */
export function transportOf(options: ProducerOptions, limits: Limits): Transport {
  return transports[options.transport ?? 'fast'](options, limits);
}
