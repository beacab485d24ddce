import { Resolver } from 'node:dns/promises';
import { GetHostedZoneCommand } from '@aws-sdk/client-route-53';
import { askServer } from '../../resolver/ask-server.ts';
import { problemOf } from '../reading.ts';
import { type Check, type Finding, ill, well } from './check.ts';

const ZONE = 'zone';
const DELEGATION = 'delegation';
const DNS_TIMEOUT_MS = 2_000;
const SERVERS_ASKED = 3;

/**
 * Checks the hosted zone and its delegation: a zone without a delegation answers nobody, and a wrong zone
 * answers with somebody else's records.
 */
export const zone: Check = {
  check: ZONE,
  purpose: 'the hosted zone exists, is public, and its parent sends resolvers to its name servers',
  region: () => 'Route 53',
  run: async ({ clients, config, local, dnsServers }) => {
    const { id, name } = config.zone;
    const { HostedZone: found, DelegationSet: set } = await clients
      .route53()
      .send(new GetHostedZoneCommand({ Id: id }));
    const problems: Finding[] = [];
    if (found?.Name !== `${name}.`) {
      problems.push(
        ill(ZONE, `zone ${id} is ${found?.Name ?? 'not there'}, not ${name}`, 'Correct zone in the config.'),
      );
    }
    if (found?.Config?.PrivateZone === true) {
      problems.push(
        ill(ZONE, `zone ${id} is private: nobody outside its VPCs can see it`, 'Use a public hosted zone.'),
      );
    }
    if (problems.length > 0) return problems;
    const ok = well(ZONE, `${name} (${id}), ${found?.ResourceRecordSetCount ?? 0} record sets`);
    if (local) return [ok, well(DELEGATION, 'not checked: a local world has no parent zone')];
    const parent = await delegation(name, dnsServers).catch((error: unknown) => problemOf(error));
    return [ok, delegationFinding(name, set?.NameServers ?? [], parent)];
  },
};

/** Pure: compares what the parent says with what the zone says. */
export function delegationFinding(
  name: string,
  zoneServers: readonly string[],
  parent: readonly string[] | string,
): Finding {
  const fix = `In the parent of ${name}, set its NS records to ${zoneServers.join(', ')}.`;
  if (typeof parent === 'string')
    return ill(DELEGATION, `the parent of ${name} could not be asked: ${parent}`, fix);
  const plain = (names: readonly string[]): readonly string[] =>
    names.map((server) => server.toLowerCase().replace(/\.$/, '')).toSorted();
  const [own, told] = [plain(zoneServers), plain(parent)];
  if (told.length === 0) return ill(DELEGATION, `the parent of ${name} does not delegate it`, fix);
  if (own.join() === told.join())
    return well(DELEGATION, `the parent delegates to the zone's ${own.length} name servers`);
  const strange = told.filter((server) => !own.includes(server));
  const finding =
    strange.length === 0
      ? `the parent names ${told.length} of the zone's ${own.length} name servers`
      : `the parent delegates to ${strange.join(', ')}, which the zone does not name`;
  return ill(DELEGATION, finding, fix);
}

/**
 * Reads the NS records that the parent's own servers hand out, because a resolver would answer with what the
 * zone says of itself.
 */
async function delegation(
  name: string,
  dnsServers: readonly string[] | undefined,
): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 2 });
  if (dnsServers !== undefined) resolver.setServers(dnsServers);
  const labels = name.split('.');
  for (let cut = 1; cut < labels.length; cut++) {
    const parentServers = await resolver.resolveNs(labels.slice(cut).join('.')).catch(() => []);
    for (const server of parentServers.slice(0, SERVERS_ASKED)) {
      const [address] = await resolver.resolve4(server).catch(() => []);
      const referral =
        address === undefined ? undefined : await referralFrom(address, name).catch(() => undefined);
      if (referral !== undefined) return referral;
    }
    if (parentServers.length > 0) throw new Error('its servers do not answer');
  }
  throw new Error('no server of a parent was found');
}

/** Asks one server directly: a parent answers with a referral, which node:dns does not show. */
export async function referralFrom(address: string, name: string, port = 53): Promise<readonly string[]> {
  const { answers = [], authorities = [] } = await askServer({
    server: `${address}:${port}`,
    name,
    type: 'NS',
    timeoutMs: DNS_TIMEOUT_MS,
    recursive: false,
  });
  const own = [...answers, ...authorities].filter(
    (record) => record.name.toLowerCase() === name.toLowerCase(),
  );
  return own.flatMap((record) => (record.type === 'NS' ? [record.data] : []));
}
