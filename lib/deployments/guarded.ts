import { z } from 'zod';
import type { AskedCheck, DeployedSwitches, DeployedVotes } from '../../lambda/core/deployment.ts';
import { GUARD_RESOURCE, type GuardedGroups, guardedSchema } from '../settings/guard.ts';
import { diffOf, type Template } from './template.ts';

// What the guard will be told, as a template writes it: hosts and ids may be references still.
const reference = z.unknown();
const votesSchema = z.object({
  Kind: z.literal('votes'),
  VotesToEvacuate: z.coerce.number().int().positive(),
  Votes: z.array(z.object({ Region: z.string(), Host: reference, CheckId: reference })),
});
const cellsSchema = z.object({
  Kind: z.literal('cells'),
  Stack: z.string(),
  Cells: z.array(z.object({ Cell: z.string(), Group: z.string() })),
  Switches: z.array(z.object({ Group: z.string(), Host: reference, CheckId: reference })),
});

/** Properties that CloudFormation changes by putting another check in its place. */
const REPLACES_A_CHECK = ['Type', 'RequestInterval'] as const;

/** What the guard is going to be asked about the votes; undefined when the template has none. */
export function votesIn(template: Template, known: Known<DeployedVotes>): DeployedVotes | undefined {
  const parsed = votesSchema.safeParse(guardOf(template));
  if (!parsed.success) return undefined;
  const { Votes, VotesToEvacuate } = parsed.data;
  const checks = Votes.map(({ Region, Host, CheckId }) =>
    checkOf(Region, { Host, CheckId }, { ...known, stored: known.stored?.votes, template }),
  );
  return { votes: new Map(checks), votesToEvacuate: VotesToEvacuate };
}

/** What the guard is going to be told of the groups, before the functions are. */
export function groupsIn(template: Template): GuardedGroups | undefined {
  const parsed = guardedSchema.safeParse(guardOf(template));
  return parsed.success && parsed.data.Kind === 'groups' ? parsed.data : undefined;
}

/** What the guard is going to be asked about the cells of a stack. */
export function switchesIn(
  template: Template,
  known: Known<DeployedSwitches>,
): (DeployedSwitches & { readonly stack: string }) | undefined {
  const parsed = cellsSchema.safeParse(guardOf(template));
  if (!parsed.success) return undefined;
  const { Stack, Cells, Switches } = parsed.data;
  const checks = Switches.map(({ Group, Host, CheckId }) =>
    checkOf(Group, { Host, CheckId }, { ...known, stored: known.stored?.switches, template }),
  );
  return {
    stack: Stack,
    switches: new Map(checks),
    groups: new Map(Cells.map(({ Cell, Group }) => [Cell, Group])),
  };
}

export interface Known<Stored> {
  /** What the guard stored last. */
  readonly stored: Stored | undefined;
  /** The template that is deployed. */
  readonly deployed: Template | undefined;
}

const guardOf = ({ Resources }: Template): unknown =>
  Object.values(Resources).find(({ Type }) => Type === GUARD_RESOURCE)?.Properties;

interface Asked {
  readonly Host: unknown;
  readonly CheckId: unknown;
}

interface Around {
  readonly stored: ReadonlyMap<string, AskedCheck> | undefined;
  readonly deployed: Template | undefined;
  readonly template: Template;
}

/** A check that stays has the stored id; one that is created has an id that nobody knows yet. */
function checkOf(
  key: string,
  { Host, CheckId }: Asked,
  { stored, deployed, template }: Around,
): readonly [string, AskedCheck] {
  const before = stored?.get(key);
  const named = textOf(CheckId);
  const logicalId = logicalIdOf(CheckId);
  const stays =
    before !== undefined &&
    (named === before.checkId || (logicalId !== undefined && !isReplaced(logicalId, deployed, template)));
  const checkId = stays ? before.checkId : `new ${named ?? logicalId ?? key}`;
  return [key, { checkId, host: textOf(Host) ?? before?.host ?? 'a new host' }];
}

function isReplaced(logicalId: string, deployed: Template | undefined, template: Template): boolean {
  // The check is another stack's, and so is the change of it.
  if (template.Resources[logicalId] === undefined) return false;
  if (deployed?.Resources[logicalId] === undefined) return true;
  const [change] = diffOf(deployed, template).resources.filter((each) => each.logicalId === logicalId);
  if (change === undefined) return false;
  const configOf = (of: Template): Readonly<Record<string, unknown>> =>
    (of.Resources[logicalId]?.Properties.HealthCheckConfig ?? {}) as Readonly<Record<string, unknown>>;
  const [was, is] = [configOf(deployed), configOf(template)];
  return REPLACES_A_CHECK.some((property) => was[property] !== is[property]);
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const attribute = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) });
function logicalIdOf(value: unknown): string | undefined {
  const parsed = attribute.safeParse(value);
  return parsed.success ? parsed.data['Fn::GetAtt'][0] : undefined;
}
