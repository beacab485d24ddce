import { type ConsumerFinding, consumerFindings } from '../../../lambda/core/consumer-findings.ts';
import { spanText } from '../../../lambda/core/consumer-words.ts';
import { consumerKinds } from '../../../lambda/core/consumers.ts';
import type { ConsumerInRegion, ConsumerReport, ConsumersReport } from '../../consumers/report.ts';
import type { Io } from '../io.ts';
import { table } from '../table.ts';

type ScreenIo = Pick<Io, 'colors' | 'columns'>;

/** Findings of one kind that are shown; a thousand cells may have the same fault. */
const SHOWN = 5;
/** Consumers that are listed; of more, only their number is shown. */
const LISTED = 24;

/** The worst first, then the consumers, then one line that says it all. */
export function consumersScreen(report: ConsumersReport, io: ScreenIo): string {
  const lines = findingLines(report.findings, io);
  return [
    ...lines,
    ...(lines.length === 0 ? [] : ['']),
    ...consumerLines(report, io),
    '',
    summary(report, io),
  ].join('\n');
}

function findingLines(findings: readonly ConsumerFinding[], { colors }: ScreenIo): readonly string[] {
  const signs = { bad: colors.red('✗'), unknown: colors.yellow('?'), note: colors.yellow('!') } as const;
  const byCode = Map.groupBy(findings, ({ code }) => code);
  return [...byCode].flatMap(([code, some]) => {
    const shown = some
      .slice(0, SHOWN)
      .flatMap(({ level, cell, text, fix }) => [
        `${signs[level]} ${cell === null ? '' : `${cell}: `}${text}`,
        ...(fix === '' ? [] : [colors.dim(`    → ${fix}`)]),
      ]);
    const rest = some.length - SHOWN;
    if (rest <= 0) return shown;
    return [
      ...shown,
      `${signs[consumerFindings[code].level]} and ${rest} more of ${code} (--json has them all)`,
    ];
  });
}

function consumerLines({ cells }: ConsumersReport, io: ScreenIo): readonly string[] {
  const all = cells.flatMap(({ cell, consumers }) => consumers.map((consumer) => ({ cell, consumer })));
  if (all.length === 0) return ['no consumers are known'];
  if (all.length > LISTED) {
    const count = (works: ConsumerInRegion['works']): number =>
      all.filter(({ consumer }) => consumer.standby.works === works).length;
    return [
      `${all.length} consumers of ${cells.length} cells; in the standby ${count('yes')} work, ${count('no')} do not, ${count('unknown')} are not known`,
    ];
  }
  const rows = all.map(({ cell, consumer }) => [
    cell,
    `${consumerKinds[consumer.kind].label} ${nameText(consumer)}`,
    regionText(consumer.primary, io),
    regionText(consumer.standby, io),
  ]);
  const [first] = all;
  const of = (role: 'primary' | 'standby'): string => `${role} ${first?.consumer[role].region ?? ''}`;
  return [table(['cell', 'consumer', of('primary'), of('standby')], rows, { columns: io.columns })];
}

function nameText({ name: { primary, standby } }: ConsumerReport): string {
  if (primary === standby || standby === null) return primary ?? '';
  return primary === null ? standby : `${primary} / ${standby}`;
}

function regionText({ works, lagMs }: ConsumerInRegion, { colors }: ScreenIo): string {
  const words = {
    yes: colors.green('works'),
    no: colors.red('does not work'),
    unknown: 'not known',
  } as const;
  return lagMs === null ? words[works] : `${words[works]}, ${spanText(lagMs)} behind`;
}

function summary({ counts, ok }: ConsumersReport, { colors }: ScreenIo): string {
  const notes = counts.note === 0 ? '' : `; ${counts.note} to know`;
  const unknown = counts.unknown === 0 ? '' : `; ${counts.unknown} could not be read`;
  if (!ok) return `${colors.red(`${counts.bad} to mend`)}${unknown}${notes}`;
  const said = counts.unknown === 0 ? colors.green('nothing to mend') : 'nothing to mend, as far as is known';
  return `${said}${unknown}${notes}`;
}
