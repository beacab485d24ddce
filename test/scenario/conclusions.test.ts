import { expect, test } from 'vitest';
import type { DiagnosisCode } from '../../lambda/core/diagnosis.ts';
import { type Asked, Conclusions } from '../../lib/scenario/conclusions.ts';

type Say = readonly [atMs: number, diagnosis: DiagnosisCode, asks?: Asked];

function concluded(observers: readonly (readonly Say[])[], outageMs = 100): DiagnosisCode {
  const conclusions = new Conclusions();
  observers.forEach((said, n) => {
    for (const [atMs, diagnosis, asks = 'nothing'] of said)
      conclusions.saw(`observer-${n}`, { atMs, diagnosis, asks });
  });
  return conclusions.together({ endMs: 100, outageMs });
}

test('a vote settles what its observer concluded, whatever comes later', () => {
  const voted: Say[] = [
    [0, 'Healthy'],
    [10, 'KinesisWriteImpaired', 'everything'],
    [12, 'RegionUnreachable', 'everything'],
  ];
  expect(concluded([voted])).toBe('KinesisWriteImpaired');
});

test('a vote says more than the move of a cell that came before it, and such a move more than what stood longest', () => {
  const cellFirst: Say[] = [
    [0, 'Healthy'],
    [10, 'StreamImpaired', 'cells'],
    [15, 'KinesisWriteImpaired', 'everything'],
  ];
  expect(concluded([cellFirst])).toBe('KinesisWriteImpaired');
  expect(concluded([cellFirst.slice(0, 2).concat([[20, 'CloudWatchBlind']])])).toBe('StreamImpaired');
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
