import { expect, it } from 'vitest';
import { command } from './fixtures/command.ts';

it('npm run fuzz plays random scenarios, and ends with a line of figures', { timeout: 60_000 }, async () => {
  const { status, out } = await command(process.execPath, [
    'scripts/fuzz.ts',
    '--cases',
    '4',
    '--from',
    '11',
    '--json',
  ]);
  expect(status).toBe(0);
  expect(out).toMatch(/^\{"cases":4,"violations":0,"seconds":[\d.]+,"firstSeed":11\}\n$/);
});

it('a case is traced for whoever reads, and no longer', { timeout: 60_000 }, async () => {
  const script = `"${process.execPath}" scripts/fuzz.ts --cases 1 --from 3 --trace | head -n 1`;
  const { out, said } = await command('sh', ['-c', script]);
  expect(out).toMatch(/^\+\d\d:\d\d:\d\d\.\d{3} /);
  expect(said).toBe('');
});
