import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { diagnosisCodes } from '../../lambda/core/diagnosis.ts';
import { guards } from '../../lambda/core/guards.ts';
import { alarmRows } from '../../lib/alarms/alarms-table.ts';
import { processIo } from '../../lib/cli/io.ts';
import { spillwayProgram } from '../../lib/cli/spillway.ts';

const program = await spillwayProgram(processIo());
let runbook = '';
let cli = '';
beforeAll(async () => {
  runbook = await readFile('docs/runbook.md', 'utf8');
  cli = await readFile('docs/cli.md', 'utf8');
});

/** Commands in the text: from `spillway` to the end of the code. */
const commandsIn = (text: string): readonly (readonly string[])[] =>
  [...text.matchAll(/(?:`|^)spillway ([a-z][^`\n]*)/gm)].map(([, line = '']) =>
    line
      .replace(/#.*$/, '')
      .replaceAll(/"[^"]*"/g, 'TEXT')
      .trim()
      .split(/\s+/),
  );

describe('the runbook', () => {
  test('has a section for every diagnosis and every alarm, and no other', () => {
    const titles = [...runbook.matchAll(/^### (.+)$/gm)].map(([, title = '']) =>
      title.replace(' (moves traffic)', ''),
    );
    const pages = titles.filter((title) => !title.startsWith('If '));
    expect(pages).toEqual([...diagnosisCodes, ...alarmRows.map(({ alarm }) => alarm)]);
  });

  test('says of every guard what makes it give way', () => {
    for (const { rule } of guards)
      expect(runbook).toMatch(new RegExp(`^\\| ${rule} \\| .+ \\| .+ \\|$`, 'm'));
  });

  test('gives a command for every page', () => {
    const pages = runbook.split(/^### /m).slice(1);
    for (const page of pages.filter((text) => !text.startsWith('If '))) {
      expect(page).toMatch(/\*\*Run\*\*\n+- `(spillway|aws) /);
    }
  });
});

test.each(['runbook', 'cli'])('every verb and option that the %s names exists', (name) => {
  const commands = commandsIn(name === 'runbook' ? runbook : cli);
  expect(commands.length).toBeGreaterThan(name === 'runbook' ? 30 : 1);
  for (const [verb, ...words] of commands) {
    const command = program.commands.find((one) => one.name() === verb);
    expect(command?.name(), `spillway ${verb}`).toBe(verb);
    const options = command?.options.map(({ long }) => long) ?? [];
    for (const word of words.filter((text) => text.startsWith('--'))) {
      expect(options, `spillway ${verb} ${word}`).toContain(word);
    }
  }
});

test('a command of the runbook that changes something gives its reason', () => {
  const needing = new Set([
    'failover',
    'failback',
    'pause',
    'resume',
    'approve',
    'maintenance',
    'ack',
    'drained',
  ]);
  // A bare verb, or one with a single option, is prose; `--check` changes nothing.
  const commands = commandsIn(runbook).filter(
    ([verb = '', ...words]) => needing.has(verb) && words.length > 1 && !words.includes('--check'),
  );
  expect(commands.length).toBeGreaterThan(15);
  for (const words of commands) expect(words.join(' ')).toContain('--reason');
});

test('docs/cli.md lists every verb', () => {
  for (const command of program.commands)
    expect(cli).toMatch(new RegExp(`^\\| .*\`${command.name()}\``, 'm'));
});
