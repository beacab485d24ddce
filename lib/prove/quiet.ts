import { drillRefusals, refusalText } from '../../lambda/core/drill.ts';
import { operatorPorts } from '../live-drill/operator-ports.ts';
import type { ProveContext } from './context.ts';

/** Why this is no time to prove anything: the guards of a drill. None in a local world. */
export async function refusalsOf(context: ProveContext): Promise<ReturnType<typeof drillRefusals>> {
  const { id, drill: target, clients, account, say } = context;
  if (target === undefined || context.world !== undefined) return [];
  return drillRefusals(
    await operatorPorts({ id, target, where: context, clients, account, say }).readFacts(),
  );
}

/** In words. */
export const reasonsOf = async (context: ProveContext): Promise<readonly string[]> =>
  (await refusalsOf(context)).map(refusalText);
