import { z } from 'zod';
import { modes } from './policy.ts';

/** Keys of the control item in the state table. */
export const controlKey = { pk: 'control', sk: 'control' } as const;

/** An override. Each one says who made it and why, and expires by itself. Times are epoch milliseconds. */
const overrideSchema = z.object({
  owner: z.string().min(1),
  reason: z.string().min(1),
  untilMs: z.number().int().positive(),
});

const overrides = {
  pause: overrideSchema.optional(),
  maintenance: overrideSchema.extend({ fromMs: z.number().int().nonnegative() }).optional(),
  /** In mode `approve`: the operator's consent, valid until `untilMs`. */
  approval: overrideSchema.optional(),
};
/** Cells with overrides of their own, at most: the item is read in every round. */
export const MOST_CELLS_WITH_OVERRIDES = 200;

const controlSchema = z.object({
  mode: z.enum(modes).optional(),
  ...overrides,
  /** Overrides that hold for the moves of single cells alone. */
  cells: z
    .record(z.string(), z.object(overrides))
    .refine((cells) => Object.keys(cells).length <= MOST_CELLS_WITH_OVERRIDES)
    .optional(),
});

export type Control = Readonly<z.infer<typeof controlSchema>>;
export type CellOverrides = NonNullable<Control['cells']>[string];

/** `unreadable`: the item could not be read, or not understood; no new evacuation may start. */
export type ControlReading = Control | 'unreadable';

/**
 * Reads the control item. A missing item (the read itself succeeded) means that no operator has said
 * anything, and the deployed policy rules. A malformed item is unreadable, because it may have been meant as
 * a pause.
 */
export function parseControl(item: unknown): ControlReading {
  if (item === undefined) return {};
  const parsed = controlSchema.safeParse(item);
  return parsed.success ? parsed.data : 'unreadable';
}

/** What the guards of one cell's move read: its own overrides, and where those have run out, those of all. */
export function controlOfCell(control: ControlReading, cell: string, nowMs: number): ControlReading {
  const own = control === 'unreadable' ? undefined : control.cells?.[cell];
  if (control === 'unreadable' || own === undefined) return control;
  const isWindow =
    own.maintenance !== undefined && nowMs >= own.maintenance.fromMs && stands(own.maintenance, nowMs);
  return {
    ...control,
    ...(stands(own.pause, nowMs) ? { pause: own.pause } : {}),
    ...(isWindow ? { maintenance: own.maintenance } : {}),
    ...(stands(own.approval, nowMs) ? { approval: own.approval } : {}),
  };
}

const stands = (override: { readonly untilMs: number } | undefined, nowMs: number): boolean =>
  override !== undefined && nowMs < override.untilMs;
