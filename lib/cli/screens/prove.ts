import type { Figures, Judgement } from '../../prove/judgement.ts';
import type { Counts, ProvenRow } from '../../prove/prove.ts';
import type { Io } from '../io.ts';

/** The document of `spillway prove`. */
export interface Proven {
  readonly ok: boolean;
  readonly where: 'aws' | 'local';
  /** Where calls went instead of to AWS's own endpoints. */
  readonly endpoint?: string;
  readonly counts: Counts;
  readonly rows: readonly ProvenRow[];
  readonly journaled: boolean;
}

export function proveScreen(proven: Proven, { colors }: Pick<Io, 'colors'>): string {
  const { rows, counts, endpoint, where, journaled } = proven;
  const sign = { confirmed: colors.green('✓'), refuted: colors.red('✗'), 'not-run': colors.dim('·') };
  const lines = rows.flatMap((row) => [
    `${sign[row.verdict]} ${row.id}: ${row.statement}`,
    ...details(row).map((text) => colors.dim(`    ${text}`)),
    ...(row.local === undefined
      ? []
      : [colors.dim(`    there: ${[row.local.verdict, ...details(row.local)].join('; ')}`)]),
  ]);
  const notes = [
    ...(where === 'aws' && endpoint !== undefined
      ? [`These are answers of ${endpoint} (AWS_ENDPOINT_URL), and not of AWS’s own endpoints.`]
      : []),
    ...(where === 'local'
      ? ['A local world confirms nothing about AWS: what it showed is told as “there”.']
      : []),
    ...(journaled ? [] : ['The journal could not be written.']),
  ];
  const { confirmed, refuted, notRun } = counts;
  const last = `${confirmed} confirmed, ${refuted} refuted, ${notRun} not run; docs/assumptions.md says what depends on each`;
  return [...lines, '', ...notes, refuted > 0 ? colors.red(last) : last].join('\n');
}

function details(judgement: Judgement): readonly string[] {
  const text = judgement.verdict === 'not-run' ? judgement.reason : judgement.note;
  return [
    ...(text === undefined ? [] : [text]),
    ...(judgement.figures === undefined ? [] : [figuresText(judgement.figures)]),
  ];
}

/** `p50Ms 12, maxMs 40`. */
const figuresText = (figures: Figures): string =>
  Object.entries(figures)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
