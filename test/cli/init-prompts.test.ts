import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { askForConfig } from '../../lib/cli/init-prompts.ts';
import { type Answers, configFile } from '../../lib/operate/init-config.ts';
import { problemsOf, questionsOf } from '../../lib/operate/init-problems.ts';

const ENTER = '\r';
const CLEAR = '\u0015';
const CTRL_C = '\u0003';
const DOWN = '\u001B[B';

/** The real prompts on streams instead of a terminal. */
function session(given: Partial<Answers> = {}) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let shown = '';
  let read = 0;
  output.on('data', (bytes) => (shown += stripVTControlCharacters(String(bytes))));
  const answers = askForConfig(given, { input, output });
  answers.catch(() => undefined);
  /** Waits until something that matches is shown that was not waited for before. */
  const see = async (text: string) => {
    await vi.waitUntil(() => shown.indexOf(text, read) !== -1, { timeout: 10_000, interval: 5 });
    read = shown.indexOf(text, read) + text.length;
  };
  return {
    answers,
    see,
    shown: () => shown,
    press: (keys: string) => input.write(keys),
    /** Answers a question when it is shown; without an answer takes what is proposed. */
    async answer(question: string, line?: string) {
      await see(question);
      input.write(line === undefined ? ENTER : `${CLEAR}${line}`);
      if (line === undefined) return;
      await see(line);
      input.write(ENTER);
    },
  };
}

type Session = ReturnType<typeof session>;
const zone = async ({ answer }: Session) => {
  await answer('Public hosted zone', 'shop.example.com');
  await answer('Id of the zone in Route 53', 'Z0123456789ABCDEFGHIJ');
};
const rest = async ({ answer }: Session) => {
  for (const question of [
    'marked records into these streams',
    'Primary region',
    'Standby region',
    'Witness regions',
    'Add a cell without',
    'How autonomous',
  ])
    await answer(question);
};

describe('the questions of init', () => {
  it('propose what flags that say nothing of it give as well, and keep a no to marked records', async () => {
    const asked = session();
    await asked.answer('Prefix of every physical name');
    await zone(asked);
    await asked.answer('Kinesis streams', 'orders, clicks');
    await rest(asked);
    const byFlags = {
      zoneId: 'Z0123456789ABCDEFGHIJ',
      zoneName: 'shop.example.com',
      streams: ['orders', 'clicks'],
      probe: 'never',
    };
    const [one, other] = [await asked.answers, byFlags].map((answers) => configFile(answers, 'made.ts').text);
    expect(one).toBe(other);
    expect(one).toContain("mode: 'observe'");
    expect(one).toContain("schedule: 'weekly'");
  });

  it.each([
    [
      'Public hosted zone',
      { name: 'shop' },
      'not-a-zone',
      '"not-a-zone" is not a domain name',
      'shop.example.com',
    ],
    ['Prefix of every', {}, 'Shop', '"Shop" is not a valid name', 'shop'],
    [
      'Id of the zone in',
      { name: 'shop', zoneName: 'shop.example.com' },
      'z-1',
      '"z-1" is not a hosted zone id',
      'Z1',
    ],
  ])(
    'object to an answer at once, by the rule of the config, and let it be corrected: %s',
    async (question, given, wrong, message, right) => {
      const asked = session(given);
      await asked.answer(question, wrong);
      await asked.see(message);
      asked.press(`${CLEAR}${right}`);
      await asked.see(right);
      asked.press(ENTER);
      await asked.see(
        question === 'Id of the zone in'
          ? 'Kinesis streams'
          : question === 'Prefix of every'
            ? 'Public'
            : 'Id of the zone in',
      );
      asked.press(CTRL_C);
      await expect(asked.answers).rejects.toThrow('Nothing was written');
    },
  );

  const answered = {
    name: 'shop',
    zoneId: 'Z1',
    zoneName: 'shop.example.com',
    streams: ['orders'],
    probe: 'never',
  };

  it('object to a region that has a role already, and propose for none what is taken', async () => {
    const asked = session({ ...answered, drill: false, mode: 'auto' });
    await asked.answer('Primary region', 'us-east-2');
    await asked.answer('Standby region', 'us-east-2');
    await asked.see('us-east-2 is regions.primary already');
    asked.press(`${CLEAR}eu-west-1`);
    await asked.see('eu-west-1');
    asked.press(ENTER);
    await asked.answer('Witness regions');
    expect(await asked.answers).toMatchObject({
      primary: 'us-east-2',
      standby: 'eu-west-1',
      witnesses: ['ca-central-1', 'eu-central-1'],
    });
  });

  it('ask again for what only clashes together, and keep the other answers', async () => {
    // Each is well by itself, and both together make a DNS name that is too long.
    const label = 'a'.repeat(60);
    const asked = session({
      ...answered,
      zoneName: `${label}.${label}.${label}.${'b'.repeat(20)}.example.com`,
      streams: ['c'.repeat(40)],
      mode: 'auto',
      primary: 'us-east-1',
      standby: 'us-west-2',
      witnesses: ['us-east-2', 'eu-west-1'],
    });
    await asked.answer('Add a cell without');
    await asked.see('longer than');
    await asked.answer('Public hosted zone', 'shop.example.com');
    await asked.answer('Kinesis streams');
    expect(await asked.answers).toMatchObject({
      name: 'shop',
      zoneName: 'shop.example.com',
      streams: ['c'.repeat(40)],
      drill: true,
    });
    expect(asked.shown()).not.toContain('Primary region');
  });

  it('ask for nothing that is given', async () => {
    const asked = session({
      ...answered,
      primary: 'us-east-1',
      standby: 'us-west-2',
      witnesses: ['us-east-2', 'eu-west-1'],
      drill: true,
    });
    await asked.answer('How autonomous');
    expect(await asked.answers).toMatchObject({ ...answered, mode: 'observe' });
    expect(asked.shown()).not.toContain('Primary region');
  });

  it('say what a consumer sees of marked records, and take no for granted', async () => {
    const regions = { primary: 'us-east-1', standby: 'us-west-2', witnesses: ['us-east-2', 'eu-west-1'] };
    const { probe: _, ...unasked } = { ...answered, ...regions, drill: false, mode: 'auto' };
    const refusing = session(unasked);
    await refusing.see('marked records into these streams');
    await refusing.see('Consumers see them');
    await refusing.see('spillway-probe/');
    await refusing.see('never');
    refusing.press(ENTER);
    expect(await refusing.answers).toMatchObject({ probe: 'never' });
    const allowing = session(unasked);
    await allowing.see('marked records into these streams');
    allowing.press(DOWN);
    await allowing.see('while something looks wrong');
    allowing.press(ENTER);
    expect(await allowing.answers).toMatchObject({ probe: 'onSuspicion' });
  });

  it('end with nothing written after Ctrl-C', async () => {
    const asked = session({ name: 'shop' });
    await asked.see('Public hosted zone');
    asked.press(CTRL_C);
    await expect(asked.answers).rejects.toMatchObject({
      name: 'InterruptedError',
      message: 'Interrupted. Nothing was written.',
    });
  });
});

it.each(['always', 'onSuspicion', 'never'] as const)(
  'the answer %s is written for each existing stream, and the stream of the drills keeps its default',
  (probe) => {
    const answers = { zoneId: 'Z1', zoneName: 'shop.example.com', streams: ['orders', 'clicks'], probe };
    const { config, text } = configFile(answers, 'a.json');
    expect(config.cells.map(({ name, probe: of }) => [name, of])).toEqual([
      ['orders', probe],
      ['clicks', probe],
      ['drill', 'onSuspicion'],
    ]);
    const { cells } = JSON.parse(text) as { cells: { probe?: string }[] };
    expect(cells.map((cell) => cell.probe)).toEqual([probe, probe, undefined]);
  },
);

it('an answer about marked records that the config refuses is asked for again, and no other', () => {
  const problems = problemsOf({ streams: ['orders', 'clicks'], probe: 'sometimes' });
  expect(problems.map(({ path }) => path)).toEqual(['cells[0].probe', 'cells[1].probe']);
  expect(new Set(problems.flatMap(questionsOf))).toEqual(new Set(['probe']));
});

it.each([
  [['drill'], 'spillway-drill', 'shop-drill'],
  [['shop-drill'], 'drill', 'shop-spillway-drill'],
])('the cell for drills takes nothing that the streams %o have', (streams, cell, stream) => {
  const { config } = configFile(
    { name: 'shop', zoneId: 'Z1', zoneName: 'shop.example.com', streams },
    'a.json',
  );
  expect(config.drill?.cell).toBe(cell);
  expect(config.cells.at(-1)?.streams.primary.name).toBe(stream);
});
