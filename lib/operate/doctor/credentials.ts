import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { type Check, ill, well } from './check.ts';

const CHECK = 'credentials';

/** In an outage the operator must be able to sign for the standby, and only the standby. */
export const credentials: Check = {
  check: CHECK,
  purpose: "the standby's own STS knows these credentials",
  run: async ({ clients, config, local }) => {
    const { standby } = config.regions;
    const { Arn: arn } = await clients.identity(standby).send(new GetCallerIdentityCommand({}));
    if (arn === undefined)
      return [ill(CHECK, `STS in ${standby} names nobody`, 'Renew the credentials, and run this again.')];
    const found = [well(CHECK, `${arn}, as STS in ${standby} sees it`)];
    if (local || !arn.endsWith(':root')) return found;
    return [
      ill(
        CHECK,
        'these are the credentials of the account’s root',
        'Use a role that may do what docs/cli.md lists.',
      ),
    ];
  },
};
