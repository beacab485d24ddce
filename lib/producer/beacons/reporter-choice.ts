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
    lookup,
    random = Math.random,
  }: Pick<ProducerOptions, 'beacons' | 'credentials' | 'proxy' | 'lookup' | 'random'>,
  onProblem: (problem: string) => void,
): BeaconReporter | undefined {
  if (beacons === undefined) return undefined;
  return new BeaconReporter({
    calls: beaconCalls({ ...beacons, credentials, proxy, lookup }),
    domain: domainOf(beacons),
    onProblem,
    parts: { random },
  });
}
