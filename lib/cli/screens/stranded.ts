import type {
  StrandedCell,
  StrandedConsumer,
  StrandedDocument,
  StrandedFinding,
} from '../../stranded/document.ts';
import { consumerWords } from '../../stranded/places.ts';
import type { Colors } from '../colors.ts';
import { table } from '../table.ts';

export interface StrandedScreenOptions {
  readonly colors: Colors;
  readonly columns: number;
}

/** A screen for people: a cell each, its consumers beneath, then what to know, then what to do. */
export function strandedScreen(document: StrandedDocument, options: StrandedScreenOptions): string {
  const { colors } = options;
  const { findings, first, next } = document;
  return [
    ...document.cells.flatMap((cell) => cellLines(cell, options)),
    ...findings.map((finding) => findingLine(finding, colors)),
    ...(findings.length === 0 ? [] : ['']),
    verdict(document, colors),
    ...(first === null || next === null
      ? []
      : [
          `  ${first}  (first: an enabled consumer there reads on, and a copy of what it reads is a duplicate)`,
        ]),
    ...(next === null ? [] : [`  ${next} --dry-run`, `  ${next}`]),
  ].join('\n');
}

function verdict({ ok, first, next }: StrandedDocument, colors: Colors): string {
  if (ok) return colors.green('nothing is stranded');
  if (next === null) return colors.yellow('it is not known whether anything is stranded');
  return `${colors.red('stranded')}${first === null ? '' : ', at most'}: copy it to the stream of the other region with`;
}

function cellLines(cell: StrandedCell, { colors, columns }: StrandedScreenOptions): readonly string[] {
  const { records, bytes, probes, complete, hoursLeft, consumers } = cell;
  const left = probes === 0 ? '' : `; marked records of observers, not counted: ${probes}`;
  const figures = `${complete ? '' : 'at least '}${records} records, ${size(bytes)}${expires(hoursLeft)}${left}`;
  const rows = consumers.map(consumerRow);
  return [
    `${colors.bold(cell.cell)}  ${cell.stream} in ${cell.region}: ${figures}`,
    ...(rows.length === 0
      ? []
      : table(['  consumer', 'unread', 'expires in', 'counted from'], rows, { columns }).split('\n')),
    '',
  ];
}

function consumerRow(consumer: StrandedConsumer): readonly string[] {
  const { exact, complete, records, bytes, hoursLeft, from } = consumer;
  const bound = !complete ? 'at least ' : exact || records === 0 ? '' : 'at most ';
  return [
    `  ${consumerWords(consumer)}`,
    records === 0 && complete ? 'nothing' : `${bound}${records}, ${size(bytes)}`,
    hoursLeft === null ? '-' : `${hoursLeft} h`,
    from.because,
  ];
}

const expires = (hoursLeft: number | null): string =>
  hoursLeft === null ? '' : `, the oldest for ${hoursLeft} h more`;

const signs: Readonly<Record<StrandedFinding['level'], (colors: Colors) => string>> = {
  bad: (colors) => colors.red('✗'),
  unknown: (colors) => colors.yellow('?'),
  note: () => '·',
};

const findingLine = ({ level, cell, text }: StrandedFinding, colors: Colors): string =>
  `${signs[level](colors)} ${cell}: ${text}`;

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export function size(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1_024 && unit < units.length - 1) [value, unit] = [value / 1_024, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
