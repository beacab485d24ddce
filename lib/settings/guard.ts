import { z } from 'zod';
import { parseSettings } from './variables.ts';

/** Environment variable that carries the settings, as JSON, written by the stacks. */
export const GUARD_SETTINGS = 'SPILLWAY_GUARD';

const settingsSchema = z.object({
  name: z.string().min(1),
  /** The guard's own region. */
  standby: z.string().min(1),
});
export type GuardSettings = Readonly<z.infer<typeof settingsSchema>>;

/** @throws SettingsError when the variable is not what the stacks write. */
export const parseGuardSettings = (text: string): GuardSettings =>
  parseSettings(text, { variable: GUARD_SETTINGS, schema: settingsSchema });

/** Type of the custom resource that has the guard look at a stack. */
export const GUARD_RESOURCE = 'Custom::SpillwayDeploymentGuard';

// CloudFormation hands the properties of a custom resource over as strings.
const number = z.coerce.number().int().positive();
/** Hosts that were given in place of references: they make the resource another one, and mean nothing else. */
const given = { GivenHosts: z.array(z.string()).optional() };
const check = { Host: z.string().min(1), CheckId: z.string().min(1) };

/** Properties of a guarded stack, as the constructs write them. */
export const guardedSchema = z.discriminatedUnion('Kind', [
  z.object({
    Kind: z.literal('votes'),
    IntervalSeconds: number,
    VotesToEvacuate: number,
    Votes: z.array(z.object({ Region: z.string().min(1), ...check })).min(1),
    ...given,
  }),
  z.object({
    Kind: z.literal('cells'),
    IntervalSeconds: number,
    Stack: z.string().min(1),
    Cells: z.array(z.object({ Cell: z.string().min(1), Group: z.string().min(1) })),
    Switches: z.array(z.object({ Group: z.string().min(1), ...check })),
    ...given,
  }),
  z.object({
    Kind: z.literal('groups'),
    /**
     * Names of cells, separated by spaces, by group: thousands of cells have to fit into one event. A group
     * without cells is one whose check stays.
     */
    Groups: z.record(z.string(), z.string()),
    /** Present where checks of switches are in other stacks than the names that follow them: the checks' interval. */
    ApartIntervalSeconds: number.optional(),
  }),
]);
export type Guarded = Readonly<z.infer<typeof guardedSchema>>;
export type GuardedGroups = Extract<Guarded, { Kind: 'groups' }>;
/** What has checks, and is stored once it is accepted. */
export type GuardedChecks = Exclude<Guarded, GuardedGroups>;
/** What is guarded, as the key of what is stored of it. */
export const guardedKey = (guarded: GuardedChecks): string =>
  guarded.Kind === 'cells' ? guarded.Stack : guarded.Kind;
