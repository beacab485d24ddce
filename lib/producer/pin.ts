import { formatSignal, parseSignal, type Signal } from '../../lambda/core/signal.ts';
import { ProducerConfigError } from './errors.ts';
import type { ProducerOptions } from './options.ts';

/** Environment variable that pins the region, whatever DNS says. */
export const PIN_VARIABLE = 'SPILLWAY_REGION';

/** The pinned region as a signal, or undefined. @throws ProducerConfigError for a pin to a region that is not configured. */
export function pinnedRegion(options: Pick<ProducerOptions, 'regions' | 'streamName'>): Signal | undefined {
  const region = process.env[PIN_VARIABLE];
  if (region === undefined || region === '') return undefined;
  const parsed = parseSignal(formatSignal({ region }), options.regions);
  if (!parsed.ok) {
    throw new ProducerConfigError(
      `${PIN_VARIABLE} is ${region}, which is not one of ${options.regions.join(', ')}: correct it, or unset it to follow DNS.`,
    );
  }
  if (streamOf(options, parsed.signal) === undefined) {
    throw new ProducerConfigError(
      `${PIN_VARIABLE} needs \`streamName\` as well: no signal names the stream.`,
    );
  }
  return parsed.signal;
}

/** The stream to write to in the signal's region; undefined when neither options nor signal name one. */
export function streamOf(
  { streamName }: Pick<ProducerOptions, 'streamName'>,
  signal: Signal,
): string | undefined {
  if (typeof streamName === 'string') return streamName;
  return streamName?.[signal.region] ?? signal.stream;
}
