import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { diagnoses } from '../../lambda/core/diagnosis.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
/** The formatter pads the columns. */
const unpadded = readme.replaceAll(/ +/g, ' ');

it('the README lists the diagnoses as the table has them, in its order', () => {
  const rows = diagnoses.map(({ code, description, actionable, operator }) => {
    return `| ${code} | ${description} | ${actionable ? 'yes' : 'no'} | ${operator} |`;
  });
  expect(unpadded).toContain(rows.join('\n'));
});
