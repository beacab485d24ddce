import type { Call } from '../../lib/aws/call-log.ts';
import { type Config, observerRegions } from '../../lib/config/config.ts';
import { isCheckerRequest, isWho } from '../../lib/operate/audit-rules.ts';
import { consumerRights } from '../../lib/permissions/consumer.ts';
import { functions } from '../../lib/permissions/functions.ts';
import { type OperatorVerb, rightsOfVerbs } from '../../lib/permissions/operator.ts';
import { beaconRights, producerRights } from '../../lib/permissions/producer.ts';
import { requirementsOf } from '../../lib/permissions/requirements.ts';
import { type Right, rightsIn } from '../../lib/permissions/right.ts';
import type { Where } from '../../lib/permissions/where.ts';
import { askedOf, inWords, isAbout } from './recorded.ts';

// What a drill has recorded, against the tables: every call is foreseen, and every right that a drill has to show is seen.

interface Caller {
  readonly who: string;
  readonly rights: readonly Right[];
  readonly where: Where;
}

function callersOf(config: Config, account: string): readonly Caller[] {
  const { standby } = config.regions;
  return functions.flatMap(({ who, functionName, in: place, when, rights }) =>
    (place === 'standby' ? [standby] : observerRegions(config.regions)).flatMap((region) => {
      const where = { config, account, region, functionName: functionName(config.name) };
      if (when !== undefined && !when(where)) return [];
      return [{ who: place === 'standby' ? who : `${who} ${region}`, rights, where }];
    }),
  );
}

/** What LocalStack's poller of a mapping calls beside what a consumer does. */
const ofMapping: Right = { actions: ['kinesis:DescribeStream'], on: 'streams', why: 'finds the shards' };

function callerOf(call: Call, callers: readonly Caller[], where: Where): Caller | undefined {
  const found = callers.find(({ who }) => who === call.who);
  if (found !== undefined) return found;
  if (isWho(call, 'producer')) return { who: call.who, rights: [...producerRights, ...beaconRights], where };
  if (isWho(call, 'consumer')) return { who: call.who, rights: [...consumerRights, ofMapping], where };
  if (!call.who.startsWith('cli ')) return undefined;
  return { who: call.who, rights: rightsOfVerbs([call.who.replace('cli ', '') as OperatorVerb]), where };
}

export interface RecordVerdict {
  /** Calls that no right of their caller is about. */
  readonly unforeseen: readonly string[];
  /** Rights that a drill has to show, and that this one has not. */
  readonly unseen: readonly string[];
}

export function judgeRecord(calls: readonly Call[], config: Config, account: string): RecordVerdict {
  const where = { config, account, region: config.regions.standby };
  const callers = callersOf(config, account);
  const unforeseen = new Set<string>();
  const seen = new Set<string>();
  for (const call of calls.filter((one) => !isCheckerRequest(one))) {
    const asked = askedOf(call, account);
    if (asked === undefined) continue;
    const caller = callerOf(call, callers, where);
    const rights = caller?.rights.filter((right) =>
      requirementsOf([right], caller.where).some((one) => isAbout(one, asked)),
    );
    if (rights === undefined || rights.length === 0) unforeseen.add(`${call.who}: ${inWords(asked)}`);
    for (const right of rights ?? []) seen.add(idOf(call.who, right, asked.action));
  }
  const unseen = callers.flatMap(({ who, rights, where: here }) =>
    rightsIn(rights, here)
      .filter(({ notPlayed }) => notPlayed === undefined)
      .flatMap((right) => right.actions.map((action) => idOf(who, right, action)))
      .filter((id) => !seen.has(id)),
  );
  return { unforeseen: [...unforeseen], unseen };
}

const idOf = (who: string, { on, partitions }: Right, action: string): string =>
  [who, action, on, ...(partitions ?? [])].join(' ');
