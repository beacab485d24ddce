import { modes } from '../../../lambda/core/policy.ts';
import type { ErrorClass } from '../../../lambda/core/probe.ts';
import type { Role } from '../../../lambda/core/role.ts';
import { refusalIn } from '../../../lambda/core/stream-evidence.ts';
import type { Cell, Config } from '../../config/config.ts';
import { named } from '../named.ts';
import { type ObserverReadings, readObservers } from '../observers.ts';
import { type Check, type Finding, ill, type Unchecked, well } from './check.ts';

const CHECK = 'cells that move alone';
const TIMEOUT_MS = 2_500;

/** Checks what lets a cell move alone: its mode, its group, and whether its stream takes the observers' records. */
export const cellsAlone: Check = {
  check: CHECK,
  purpose: 'cells can be probed and moved alone as the config says',
  region: ({ regions }) => regions.standby,
  run: async ({ clients, config, nowMs }) => {
    const observers = await readObservers(config, { clients, timeoutMs: TIMEOUT_MS, nowMs: () => nowMs });
    const found = [
      ...cellConfigFindings(config),
      ...refusedFindings(config, observers),
      ...unreadFindings(observers),
    ];
    return found.length > 0
      ? found
      : [well(CHECK, 'modes and groups fit, and no stream refuses the observers')];
  },
};

/** An observer that is silent is a finding of the check of observers. */
function unreadFindings(observers: ObserverReadings): readonly Unchecked[] {
  return [...observers].flatMap(([region, report]) => {
    if (report.ok) return [];
    const what = `what the observer in ${region} sees of the cells’ streams`;
    return [{ check: CHECK, region, what, error: report.error ?? new Error(report.problem) }];
  });
}

/** Pure. */
export function cellConfigFindings({ cells, policy }: Pick<Config, 'cells' | 'policy'>): readonly Finding[] {
  return [...modeFindings(cells, policy), ...groupFindings(cells)];
}

function modeFindings(cells: readonly Cell[], policy: Config['policy']): readonly Finding[] {
  const above = cells.filter(
    ({ mode }) => mode !== undefined && modes.indexOf(mode) > modes.indexOf(policy.mode),
  );
  if (above.length === 0) return [];
  const names = named(above.map(({ name, mode }) => `${name} (${mode})`));
  const finding = `${names}: the mode of a cell bounds the policy’s, which is ${policy.mode}, and has no effect above it`;
  return [ill(CHECK, finding, 'Leave the mode of these cells out, or raise policy.mode.')];
}

function groupFindings(cells: readonly Cell[]): readonly Finding[] {
  return [...Map.groupBy(cells, ({ group }) => group)].flatMap(([group, members]) => {
    const probes = Map.groupBy(members, ({ probe }) => probe);
    if (probes.size < 2) return [];
    const parts = [...probes].map(([probe, some]) => `${probe}: ${named(some.map(({ name }) => name))}`);
    const silent = probes.get('never')?.length ?? 0;
    const effect =
      2 * silent > members.length
        ? 'and more than half of them are never probed'
        : 'so those that are probed less make the group slower, or keep it';
    const finding = `the cells of ${group} are not probed alike (${parts.join('; ')}): the group moves when half of its ${members.length} cells are accused, ${effect}`;
    return [ill(CHECK, finding, 'Give the cells of a group the same probe, or groups of their own.')];
  });
}

/** What a refusal of this class means for a stream, and what mends it. */
const fixes: Partial<Record<ErrorClass, readonly [what: string, fix: string]>> = {
  access: [
    'access is denied, or the KMS key may not be used',
    'Let the role of the function NAME-observer call kinesis:PutRecord and PutRecords on the stream (a resource policy or a service control policy may deny it), and kms:GenerateDataKey on its key, which must be enabled; or write probe: never.',
  ],
  clock: [
    'the time of the signatures is refused',
    'Look at the clock in the region of the observer that says so.',
  ],
  missing: ['there is no such stream', 'Create the stream, or correct its name in the config, and deploy.'],
};
const unnamed = (errorClass: ErrorClass): readonly [string, string] => [
  `the error is ${errorClass}`,
  'Read the log of an observer that says so: its lines have the error of each put.',
];
const roles = ['primary', 'standby'] as const satisfies readonly Role[];

/** Pure: streams that do not take the observers' records, for a reason that is no outage. */
export function refusedFindings(
  { name, regions }: Pick<Config, 'name' | 'regions'>,
  observers: ObserverReadings,
): readonly Finding[] {
  const refused = [...observers].flatMap(([observer, report]) => {
    if (!report.ok || !report.value.fresh) return [];
    const { streams } = report.value.memory.evidence;
    return Object.entries(streams?.cells ?? {}).flatMap(([cell, evidence]) =>
      roles.flatMap((role) => {
        const errorClass = refusalIn(evidence, role);
        return errorClass === undefined ? [] : [{ observer, cell, role, errorClass }];
      }),
    );
  });
  const alike = Map.groupBy(refused, ({ role, errorClass }) => `${role} ${errorClass}`);
  return [...alike.values()].flatMap((some) => {
    const [first] = some;
    if (first === undefined) return [];
    const [what, fix] = fixes[first.errorClass] ?? unnamed(first.errorClass);
    const cells = named([...new Set(some.map(({ cell }) => cell))]);
    const seen = named([...new Set(some.map(({ observer }) => observer))]);
    const finding = `${cells}: the stream in ${regions[first.role]} refuses the observers’ records (${what}), seen from ${seen}; such a cell does not move by itself`;
    return [ill(CHECK, finding, fix.replace('NAME', name))];
  });
}
