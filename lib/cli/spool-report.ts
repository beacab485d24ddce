import type { Inspection } from '../producer/spool/inspection.ts';
import type { Io } from './io.ts';

/**
 * Whether `repair` has something to do. A torn end is a write in progress if the owner is alive, else a write
 * that was cut off.
 */
export function isHarmed({ damages, cursor, tornBytes, owner }: Inspection): boolean {
  return damages.length > 0 || cursor === 'lost' || (tornBytes > 0 && !owner.alive);
}

export function inspectionText(inspection: Inspection, io: Pick<Io, 'colors' | 'nowMs'>): string {
  const nowMs = io.nowMs();
  const {
    directory,
    records,
    bytes,
    segments,
    bytesOnDisk,
    oldest,
    newest,
    quarantinedFiles,
    refusedRecords,
  } = inspection;
  const age = (iso: string | undefined): string =>
    iso === undefined ? '-' : `${iso} (${ageText(nowMs - Date.parse(iso))} ago)`;
  const quarantined = quarantinedFiles === 0 ? [] : [`quarantine  ${quarantinedFiles} damaged ranges`];
  const refused =
    refusedRecords === 0
      ? []
      : [`refused     ${refusedRecords} records that no stream takes, in ${directory}/refused`];
  return [
    io.colors.bold(directory),
    `owner       ${ownerText(inspection)}`,
    `records     ${records.toLocaleString('en-US')} not acknowledged, ${bytes.toLocaleString('en-US')} bytes`,
    `segments    ${segments}, ${bytesOnDisk.toLocaleString('en-US')} bytes on disk`,
    `oldest      ${age(oldest)}`,
    `last write  ${age(newest)}`,
    `cursor      ${cursorText(inspection)}`,
    ...quarantined,
    ...refused,
    ...(isHarmed(inspection) ? [damageText(inspection, io)] : []),
  ].join('\n');
}

export function damageText(inspection: Inspection, { colors }: Pick<Io, 'colors'>): string {
  const { damages, tornBytes, owner, cursor, records } = inspection;
  if (!isHarmed(inspection)) return `${colors.green('good')} ${records} records, each with its checksum.`;
  const lines = damages.map(
    ({ segment, start, end }) => `segment ${segment} is damaged from byte ${start} to ${end}`,
  );
  if (tornBytes > 0 && !owner.alive) lines.push(`the last ${tornBytes} bytes are a write that was cut off`);
  if (cursor === 'lost') lines.push('the cursor is lost: every record would be sent again');
  return [
    ...lines.map((line) => `${colors.red('harmed')} ${line}`),
    'A producer skips what is damaged; `spillway spool repair` removes it now.',
  ].join('\n');
}

function ownerText({ owner }: Inspection): string {
  const who = owner.pid === undefined ? 'a process' : `process ${owner.pid} on ${owner.host}`;
  if (owner.alive) return `${who}, alive`;
  return owner.pid === undefined ? 'nobody' : `nobody (${who} ended without closing it)`;
}

function cursorText({ cursor }: Inspection): string {
  if (cursor === 'none') return 'at the oldest record';
  return cursor === 'lost' ? 'lost' : `segment ${cursor.segment}, byte ${cursor.offset}`;
}

function ageText(ms: number): string {
  const seconds = Math.max(Math.round(ms / 1_000), 0);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
