import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../lib/scenario/duration.ts';
import { ScenarioError } from '../../lib/scenario/errors.ts';
import { parseScenario } from '../../lib/scenario/parse.ts';

const minimal = `
name: mine
duration: 1h
faults:
  - at: 10s
    where: { region: primary }
    effect: { kind: error }
expect: { verdict: hold }
`;

function complaint(text: string): string {
  try {
    parseScenario(text, 'mine.yaml');
  } catch (error) {
    expect(error).toBeInstanceOf(ScenarioError);
    return (error as Error).message;
  }
  throw new Error('nothing was wrong with it');
}

describe('a scenario', () => {
  it('takes its defaults', () => {
    expect(parseScenario(minimal, 'mine.yaml')).toEqual({
      name: 'mine',
      title: 'mine',
      durationMs: 3_600_000,
      faults: [
        {
          atMs: 10_000,
          untilMs: 3_600_000,
          where: { region: 'primary' },
          effect: { kind: 'error', status: 500, code: 'InternalFailure' },
          rate: 1,
        },
      ],
      expect: { verdict: 'hold' },
    });
  });

  it.each([
    ['an unknown key', minimal.replace('at: 10s', 'att: 10s'), /mine\.yaml:5: faults\[0\]/],
    ['a bad duration', minimal.replace('10s', '10 seconds'), /faults\[0\]\.at is not usable/],
    ['an unknown effect', minimal.replace('kind: error', 'kind: explode'), /faults\[0\]\.effect/],
    ['a place that is none', minimal.replace('primary', 'mars'), /neither a role nor a region/],
    ['a fault after the end', minimal.replace('10s', '2h'), /begins when the scenario has ended/],
    ['no faults', minimal.replace(/faults:[\s\S]*expect/, 'faults: []\nexpect'), /has at least one fault/],
    ['no YAML', 'name: [', /mine\.yaml:\d+: is not YAML/],
    ['nothing', '', /is empty/],
    ['two documents', `${minimal}---\n${minimal}`, /several YAML documents/],
    ['an alias bomb', `a: &a [x,x]\nb: &b [${'*a,'.repeat(60)}]\nc: [${'*b,'.repeat(60)}]`, /cannot be read/],
  ])('names the place and the fix of %s', (_what, text, message) => {
    expect(complaint(text)).toMatch(message);
  });

  it('is read or refused with a ScenarioError, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        try {
          parseScenario(text, 'any.yaml');
        } catch (error) {
          expect(error).toBeInstanceOf(ScenarioError);
        }
      }),
    );
  });
});

it('a duration reads back as it was written', () => {
  fc.assert(
    fc.property(fc.nat(300 * 86_400_000), (ms) => {
      expect(parseDuration(formatDuration(ms))).toBe(ms);
    }),
  );
});
