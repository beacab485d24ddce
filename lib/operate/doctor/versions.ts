import { isDeepStrictEqual } from 'node:util';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { observerFunctionName } from '../../../lambda/core/names.ts';
import { type Config, observerRegions } from '../../config/config.ts';
import { callFailure } from '../../credentials/failure.ts';
import { OBSERVER_SETTINGS, parseObserverSettings } from '../../settings/observer.ts';
import { problemOf } from '../reading.ts';
import { type Check, type Finding, type Found, ill, type Unchecked, well } from './check.ts';

const CHECK = 'versions';
const DEPLOY = 'Deploy to every region: npx cdk deploy --all';

export interface Deployed {
  readonly region: string;
  readonly codeSha256: string;
  readonly modified: string;
  /** The settings of the deployed observer; undefined when they cannot be read. */
  readonly settings: ReturnType<typeof parseObserverSettings> | undefined;
}

/**
 * Checks the deployed versions: observers that run different code, or another policy than the config, outvote
 * each other in ways that nobody planned.
 */
export const versions: Check = {
  check: CHECK,
  purpose: 'every observer runs the same code, with the policy of the config',
  region: ({ regions }) => regions.standby,
  run: async ({ clients, config }) => {
    const regions = observerRegions(config.regions);
    const look = async (region: string): Promise<Deployed | Found> => {
      try {
        const { CodeSha256, LastModified, Environment } = await clients
          .lambda(region)
          .send(new GetFunctionConfigurationCommand({ FunctionName: observerFunctionName(config.name) }));
        return {
          region,
          codeSha256: CodeSha256 ?? '',
          modified: LastModified ?? '',
          settings: settingsOf(Environment?.Variables?.[OBSERVER_SETTINGS]),
        };
      } catch (error) {
        const what = `observer in ${region}`;
        if (callFailure(error).kind !== 'missing') return { check: CHECK, region, what, error };
        return ill(CHECK, `observer in ${region}: ${problemOf(error)}`, DEPLOY);
      }
    };
    const found = await Promise.all(regions.map(look));
    const missing = found.filter((one): one is Finding | Unchecked => 'check' in one);
    const deployed = found.filter((one): one is Deployed => !('check' in one));
    return [...missing, ...versionFindings(config, deployed)];
  },
};

function settingsOf(text: string | undefined): Deployed['settings'] {
  try {
    return text === undefined ? undefined : parseObserverSettings(text);
  } catch {
    return undefined;
  }
}

/** Pure. */
export function versionFindings(config: Config, deployed: readonly Deployed[]): readonly Finding[] {
  const [first] = deployed;
  if (first === undefined) return [];
  const found: Finding[] = [];
  const codes = Map.groupBy(deployed, ({ codeSha256 }) => codeSha256);
  if (codes.size > 1) {
    const list = deployed.map(
      ({ region, codeSha256, modified }) => `${region} ${codeSha256.slice(0, 8)} of ${modified}`,
    );
    found.push(ill(CHECK, `observers run different code: ${list.join('; ')}`, DEPLOY));
  }
  for (const { region, settings } of deployed) {
    if (settings === undefined) {
      found.push(ill(CHECK, `observer in ${region}: its settings cannot be read`, DEPLOY));
    } else if (!isDeepStrictEqual({ ...settings.policy }, { ...config.policy })) {
      found.push(ill(CHECK, `observer in ${region} has another policy than the config`, DEPLOY));
    }
  }
  return found.length > 0
    ? found
    : [well(CHECK, `${deployed.length} observers run code ${first.codeSha256.slice(0, 8)} with this policy`)];
}
