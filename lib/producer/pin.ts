import { formatSignal, parseSignal, type Signal } from '../../lambda/core/signal.ts';
import { ProducerConfigError } from './errors.ts';
import type { ProducerOptions } from './options.ts';
import { type StreamOptions, targetOf } from './stream-target.ts';

/** Environment variable that pins the region, whatever DNS says. */
export const PIN_VARIABLE = 'SPILLWAY_REGION';

/** The pinned region as a signal, or undefined. @throws ProducerConfigError for a pin to a region that is not configured. */
export function pinnedRegion(options: Pick<ProducerOptions, 'regions'> & StreamOptions): Signal | undefined {
  const region = process.env[PIN_VARIABLE];
  if (region === undefined || region === '') return undefined;
  const parsed = parseSignal(formatSignal({ region }), options.regions);
  if (!parsed.ok) {
    throw new ProducerConfigError(
      `${PIN_VARIABLE} is ${region}, which is not one of ${options.regions.join(', ')}: correct it, or unset it to follow DNS.`,
    );
  }
  if (targetOf(options, parsed.signal).kind !== 'target') {
    throw new ProducerConfigError(
      `${PIN_VARIABLE} needs \`streamName\` or \`streamArn\` as well: no signal names the stream.`,
    );
  }
  return parsed.signal;
}
