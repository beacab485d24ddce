import { expect, it } from 'vitest';
import { Progress } from '../../lib/cli/progress.ts';

function progress(isTTY: boolean) {
  const written: string[] = [];
  let nowMs = 0;
  const stream = { isTTY, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
  const subject = new Progress({ total: 100, unit: 'runs', stream, now: () => nowMs });
  const at = (ms: number): void => {
    nowMs = ms;
    subject.add(1);
  };
  return { subject, written, at };
}

it('says nothing for two seconds', () => {
  const { written, at } = progress(false);
  for (const ms of [0, 1_000, 1_999]) at(ms);
  expect(written).toEqual([]);
});

it('without a terminal says a line every five seconds', () => {
  const { written, at } = progress(false);
  for (let ms = 500; ms <= 12_500; ms += 500) at(ms);
  expect(written).toEqual([
    '4 of 100 runs, 2 s gone, about 48 s left\n',
    '14 of 100 runs, 7 s gone, about 43 s left\n',
    '24 of 100 runs, 12 s gone, about 38 s left\n',
  ]);
});

it('on a terminal renews one line every second, and takes it away at the end', () => {
  const { subject, written, at } = progress(true);
  for (let ms = 2_000; ms <= 4_000; ms += 250) at(ms);
  expect(written).toHaveLength(3);
  expect(written.every((text) => text.startsWith('\r') && !text.includes('\n'))).toBe(true);
  subject.clear();
  expect(written.at(-1)).toMatch(/^\r +\r$/);
});
