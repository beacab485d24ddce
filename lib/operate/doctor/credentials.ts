import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { type Config, observerRegions } from '../../config/config.ts';
import { type CredentialsVerdict, verdictOf } from '../../credentials/verdict.ts';
import { asker } from '../credentials.ts';
import { readStored } from '../read-status.ts';
import { type Reading, reading } from '../reading.ts';
import { type Check, type DoctorContext, type Found, ill, well } from './check.ts';

const CHECK = 'credentials';
const TIMEOUT_MS = 5_000;

type Identities = ReadonlyMap<string, Reading<string | undefined>>;

/**
 * Checks the credentials in every region. In an outage, the operator must be able to sign for the standby,
 * and only for the standby.
 */
export const credentials: Check = {
  check: CHECK,
  purpose: 'every region, and above all the standby, accepts these credentials',
  region: ({ regions }) => regions.standby,
  run: async (context) => (await examineCredentials(context)).found,
};

export interface CredentialsExamined {
  readonly found: readonly Found[];
  /**
   * Judges whether the other checks make sense: with credentials that AWS rejects, or that belong to another
   * account, every check would find something, and all findings would be wrong.
   */
  readonly useless: boolean;
}

export async function examineCredentials(context: DoctorContext): Promise<CredentialsExamined> {
  const all = await identities(context);
  const verdict = await judge(context, all);
  if (verdict.ok !== false) return { found: identityFindings(context, all), useless: false };
  return { found: [ill(CHECK, `${verdict.said}. Nothing else can be checked`, verdict.fix)], useless: true };
}

async function judge(
  { clients, config, nowMs }: DoctorContext,
  all: Identities,
): Promise<CredentialsVerdict> {
  const verdict = verdictOf(
    [...all.values()].map((identity) => (identity.ok ? undefined : (identity.failure ?? { kind: 'other' }))),
    asker(),
  );
  if (verdict.ok !== true) return verdict;
  // AWS knows the credentials. Whether they fit this deployment, the deployment's tables say.
  return (await readStored(config, { clients, nowMs: () => nowMs })).credentials;
}

function identityFindings({ config, local }: DoctorContext, all: Identities): readonly Found[] {
  const { standby } = config.regions;
  return [...all].flatMap(([region, identity]): readonly Found[] => {
    if (!identity.ok) return [{ check: CHECK, region, error: identity.error, what: `STS in ${region}` }];
    if (region !== standby) return [];
    const arn = identity.value;
    if (arn === undefined)
      return [
        ill(CHECK, `STS in ${standby} names no identity`, 'Renew the credentials, and run this again.'),
      ];
    const found = well(CHECK, `${arn}, as STS in ${standby} sees it`);
    if (local || !arn.endsWith(':root')) return [found];
    const root = 'these are the credentials of the account’s root';
    return [found, ill(CHECK, root, 'Use a role with the rights that docs/cli.md lists.')];
  });
}

async function identities({
  clients,
  config,
}: Pick<DoctorContext, 'clients' | 'config'>): Promise<Identities> {
  const regions = lookedAt(config);
  await clients.prepare(regions);
  const asked = regions.map(async (region) => {
    const identity = await reading(TIMEOUT_MS, async (abortSignal) => {
      const { Arn: arn } = await clients
        .identity(region)
        .send(new GetCallerIdentityCommand({}), { abortSignal });
      return arn;
    });
    return [region, identity] as const;
  });
  return new Map(await Promise.all(asked));
}

/** The regions of all checks together. */
const lookedAt = ({ regions }: Config): readonly string[] => [
  ...new Set([...observerRegions(regions), regions.primary]),
];
