import {
  conductorFunctionName,
  drillFunctionName,
  guardFunctionName,
  monitorFunctionName,
  observerFunctionName,
  surveyFunctionName,
  switchFunctionName,
  voteFunctionName,
} from '../../../lambda/core/names.ts';
import { type Config, observerRegions } from '../../config/config.ts';
import { consumerCaller } from '../consumers/settings.ts';

/**
 * Number of producers: enough to show several sources and cells, few enough for a laptop, as LocalStack takes
 * about 20 ms for a put.
 */
const PRODUCERS = 3;
/**
 * The operator of a drill. Located in a witness: neither in the region that fails nor in the one that takes
 * over.
 */
export const OPERATOR = 'cli';

export interface DeployedFunction {
  readonly name: string;
  /** Name of the caller in the audit. */
  readonly who: string;
}

export function functionsIn(region: string, { name, regions, drill }: Config): readonly DeployedFunction[] {
  const everywhere = [
    { name: observerFunctionName(name), who: `observer ${region}` },
    { name: voteFunctionName(name), who: `vote ${region}` },
  ];
  if (region !== regions.standby) return everywhere;
  return [
    ...everywhere,
    { name: switchFunctionName(name), who: 'switch' },
    { name: conductorFunctionName(name), who: 'conductor' },
    { name: monitorFunctionName(name), who: 'monitor' },
    { name: guardFunctionName(name), who: 'guard' },
    { name: surveyFunctionName(name), who: 'survey' },
    ...(drill === undefined ? [] : [{ name: drillFunctionName(name), who: 'drill' }]),
  ];
}

export interface DrillProducer {
  readonly name: string;
  readonly who: string;
  readonly region: string;
}

/** Two in three run in the primary, where most applications are; the rest in the standby. */
export function producersOf({ regions }: Config): readonly DrillProducer[] {
  const { primary, standby } = regions;
  return Array.from({ length: PRODUCERS }, (_, n) => ({
    name: `p${n + 1}`,
    who: `producer p${n + 1}`,
    region: n % 3 === 2 ? standby : primary,
  }));
}

/** All callers of AWS in a drill, with the region that each one calls from. */
export function callersOf(config: Config): Readonly<Record<string, string>> {
  const { regions } = config;
  const functions = observerRegions(regions).flatMap((region) =>
    functionsIn(region, config).map(({ who }) => [who, region] as const),
  );
  const producers = producersOf(config).map(({ who, region }) => [who, region] as const);
  const consumers = [regions.primary, regions.standby].map(
    (region) => [consumerCaller(region), region] as const,
  );
  return Object.fromEntries([
    ...functions,
    ...producers,
    ...consumers,
    [OPERATOR, regions.witnesses[0] ?? regions.standby],
  ]);
}
