import { expect, test } from 'vitest';
import type { DiagnosisCode } from '../../lambda/core/diagnosis.ts';
import { Conclusions } from '../../lib/scenario/conclusions.ts';

type Say = readonly [atMs: number, diagnosis: DiagnosisCode, evacuates?: boolean];

function concluded(observers: readonly (readonly Say[])[], outageMs = 100): DiagnosisCode {
  const conclusions = new Conclusions();
  observers.forEach((said, n) => {
    for (const [atMs, diagnosis, evacuates = false] of said)
      conclusions.saw(`observer-${n}`, { atMs, diagnosis, evacuates });
  });
  return conclusions.together({ endMs: 100, outageMs });
}

test('a vote settles what its observer concluded, whatever comes later', () => {
  const voted: Say[] = [
    [0, 'Healthy'],
    [10, 'KinesisWriteImpaired', true],
    [12, 'RegionUnreachable', true],
  ];
  expect(concluded([voted])).toBe('KinesisWriteImpaired');
});

test('without a vote it is what stood longest, and noise that passes is none', () => {
  const blind: Say[] = [
    [0, 'Healthy'],
    [20, 'CloudWatchBlind'],
    [60, 'StandbyUnfit'],
    [69, 'CloudWatchBlind'],
    [80, 'Healthy'],
  ];
  expect(concluded([blind])).toBe('CloudWatchBlind');
  const noise: Say[] = [
    [0, 'Healthy'],
    [50, 'StandbyUnfit'],
    [55, 'Healthy'],
  ];
  expect(concluded([noise])).toBe('Healthy');
  expect(concluded([noise], 40)).toBe('StandbyUnfit');
});

test('most observers decide together, and among equals the graver diagnosis', () => {
  const says = (code: DiagnosisCode): Say[] => [[0, code]];
  const blind = says('CloudWatchBlind');
  expect(concluded([blind, blind, says('StandbyUnfit')])).toBe('CloudWatchBlind');
  expect(concluded([blind, says('KinesisReadImpaired')])).toBe('KinesisReadImpaired');
  expect(concluded([])).toBe('Undetermined');
});
