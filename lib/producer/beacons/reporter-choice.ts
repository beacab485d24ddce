import type { ProducerOptions } from '../options.ts';
import { beaconCalls } from './beacon-calls.ts';
import { domainOf } from './beacon-options.ts';
import { BeaconReporter } from './reporter.ts';

/** The reporter that the options ask for. */
export function reporterOf(
  {
    beacons,
    credentials,
    proxy,
    random = Math.random,
  }: Pick<ProducerOptions, 'beacons' | 'credentials' | 'proxy' | 'random'>,
  onProblem: (problem: string) => void,
): BeaconReporter | undefined {
  if (beacons === undefined) return undefined;
  return new BeaconReporter({
    calls: beaconCalls({ ...beacons, credentials, ...(proxy === undefined ? {} : { proxy }) }),
    domain: domainOf(beacons),
    onProblem,
    parts: { random },
  });
}
