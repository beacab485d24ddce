import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type EndpointAnswer,
  type EndpointFinding,
  type EndpointLook,
  endpointFindingNames,
  endpointsInWords,
  isTrouble,
  judgeEndpoint,
  SETTLE_MS,
} from '../../lambda/core/endpoint-findings.ts';
import { storedValueOf } from '../../lambda/core/endpoint-stored.ts';
import { endpointText, endpointValues } from '../../lambda/core/endpoint-text.ts';

const NOW_MS = 1_800_000_000_000;
const vote = { kind: 'vote', of: 'eu-west-1' } as const;
const orders = { kind: 'switch', of: 'orders' } as const;
const answers = (text: string, status = 200): EndpointAnswer => ({ got: 'answer', status, text });
const held = { value: 'STANDBY', changedAtMs: NOW_MS - 3_600_000 } as const;
const open = { value: 'PRIMARY' } as const;

const judged = (
  answer: EndpointAnswer,
  stored: EndpointLook['stored'],
  endpoint = orders as EndpointLook['endpoint'],
) => {
  const { finding, detail } = judgeEndpoint({ endpoint, answer, stored, nowMs: NOW_MS });
  return detail === '' ? finding : `${finding}: ${detail}`;
};

describe('an endpoint', () => {
  it('agrees when it says what is stored, padded as it is', () => {
    expect(judged(answers('switch=STANDBY'.padEnd(32)), [held])).toBe('agrees');
    expect(judged(answers('vote=HOLD'), [{ value: 'HOLD' }], vote)).toBe('agrees');
  });

  // Before this, a vote function without rights said HOLD for ever, and nobody looked.
  it('is unreadable although it says what is stored, because it would say so in an outage as well', () => {
    const said = answers(endpointText('vote', { value: 'HOLD', read: false }));
    expect(judged(said, [{ value: 'HOLD' }], vote)).toBe('unreadable: it says HOLD unread');
    expect(judged(answers('switch=STANDBY read=failed'), [held])).toBe('unreadable: it says STANDBY unread');
  });

  it.each<[string, EndpointAnswer, string]>([
    ['whose name does not resolve', { got: 'nothing', problem: 'ENOTFOUND' }, 'dead: ENOTFOUND'],
    ['that is slow', { got: 'too late' }, 'late: no answer in time'],
    [
      'that Lambda refuses',
      answers('{"Reason":"ConcurrentInvocationLimitExceeded"}', 429),
      'throttled: status 429',
    ],
    ['whose URL is gone', answers('{"Message":"Forbidden"}', 403), 'refused: status 403'],
    ['that crashes', answers('Internal Server Error', 502), 'refused: status 502'],
    ['that leads elsewhere', answers('', 302), 'refused: status 302'],
    ['that does not know the group', answers('not found', 404), 'refused: status 404'],
    [
      'of somebody else',
      answers('<!doctype html><title>Parking, for sale, and more</title>'),
      'refused: it says "<!doctype html><title>Parking, for sale,"',
    ],
    ['of the other kind', answers('vote=HOLD'), 'refused: it says "vote=HOLD"'],
    ['that is behind', answers('switch=PRIMARY'), 'wrong: it says PRIMARY, and STANDBY is stored'],
  ])('%s is that', (_what, answer, expected) => {
    expect(judged(answer, [held])).toBe(expected);
  });

  it('is not wrong for a change between the two reads, or one that is too new to be said by every instance', () => {
    expect(judged(answers('switch=PRIMARY'), [open, held])).toBe('agrees');
    expect(judged(answers('switch=PRIMARY'), [held, open])).toBe('agrees');
    const changedAtMs = NOW_MS - SETTLE_MS + 1;
    expect(judged(answers('switch=PRIMARY'), [{ ...held, changedAtMs }])).toBe('agrees');
    expect(judged(answers('switch=PRIMARY'), [{ ...held, changedAtMs: NOW_MS - SETTLE_MS }])).toMatch(
      /^wrong/,
    );
  });

  it('is unknown, and no trouble, while what is stored cannot be read', () => {
    expect(judged(answers('switch=PRIMARY'), [])).toBe('unknown');
    expect(isTrouble({ finding: 'unknown' })).toBe(false);
    // But what needs no comparison is said.
    expect(judged(answers('switch=PRIMARY read=failed'), [])).toMatch(/^unreadable/);
  });
});

describe('whatever comes back', () => {
  const kinds = fc.constantFrom('vote' as const, 'switch' as const);
  const texts = fc.oneof(
    fc.string(),
    fc
      .tuple(kinds, fc.constantFrom(0, 1), fc.boolean())
      .map(([kind, n, read]) => endpointText(kind, { value: endpointValues[kind][n] as never, read })),
  );
  const anyAnswer: fc.Arbitrary<EndpointAnswer> = fc.oneof(
    fc.record({ got: fc.constant('nothing' as const), problem: fc.string() }),
    fc.constant({ got: 'too late' as const }),
    fc.record({
      got: fc.constant('answer' as const),
      status: fc.integer({ min: 100, max: 599 }),
      text: texts,
    }),
  );
  const values = fc.constantFrom(
    'HOLD' as const,
    'EVACUATE' as const,
    'PRIMARY' as const,
    'STANDBY' as const,
  );
  const anyLook = fc.record({
    endpoint: fc.record({ kind: kinds, of: fc.string() }),
    answer: anyAnswer,
    stored: fc.array(fc.record({ value: values }), { maxLength: 2 }),
    nowMs: fc.constant(NOW_MS),
  });

  it('agrees only if it is a 200 that says, as read, what is stored', () => {
    fc.assert(
      fc.property(anyLook, (look) => {
        const { finding } = judgeEndpoint(look);
        const { answer, stored, endpoint } = look;
        const saysStored =
          answer.got === 'answer' &&
          answer.status === 200 &&
          stored.some(({ value }) => answer.text.trimEnd() === `${endpoint.kind}=${value}`);
        expect(finding === 'agrees').toBe(saysStored);
      }),
    );
  });

  it('is trouble when Route 53 would see another position than is stored', () => {
    fc.assert(
      fc.property(anyLook, (look) => {
        const { answer, stored, endpoint } = look;
        const [first] = stored;
        if (first === undefined) return;
        const marker = { vote: 'vote=EVACUATE', switch: 'switch=STANDBY' }[endpoint.kind];
        const isMarked = answer.got === 'answer' && answer.status < 400 && answer.text.includes(marker);
        const shouldBe = stored.some(({ value }) => `${endpoint.kind}=${value}` === marker);
        if (isMarked !== shouldBe) expect(isTrouble(judgeEndpoint(look))).toBe(true);
      }),
    );
  });
});

describe('what is stored', () => {
  const item = {
    vote: 'EVACUATE',
    decidedAtMs: NOW_MS - 1_000,
    expiresAtMs: NOW_MS + 29_000,
    voteSinceMs: NOW_MS - 9_000,
  };
  const positions = {
    votes: new Map<string, unknown>([['eu-west-1', item]]),
    switches: new Map([['orders', { position: 'STANDBY' as const, atMs: 7 }]]),
  };

  it('of a vote is what its endpoint would make of the item now', () => {
    expect(storedValueOf(vote, positions, NOW_MS)).toEqual({
      value: 'EVACUATE',
      changedAtMs: NOW_MS - 9_000,
    });
    expect(storedValueOf(vote, positions, NOW_MS + 29_000)).toMatchObject({ value: 'HOLD' });
    expect(storedValueOf({ ...vote, of: 'us-east-2' }, positions, NOW_MS)).toBeUndefined();
  });

  it('of a switch is its position, and PRIMARY when it was never set', () => {
    expect(storedValueOf(orders, positions, NOW_MS)).toEqual({ value: 'STANDBY', changedAtMs: 7 });
    expect(storedValueOf({ ...orders, of: 'clicks' }, positions, NOW_MS)).toEqual({ value: 'PRIMARY' });
    expect(storedValueOf(orders, { ...positions, switches: undefined }, NOW_MS)).toBeUndefined();
  });
});

it('is put into words, trouble first, and the first few of many', () => {
  const many: EndpointFinding[] = [
    { ...vote, finding: 'agrees', detail: '' },
    ...Array.from({ length: 7 }, (_, n) => ({
      kind: 'switch' as const,
      of: `g${n}`,
      finding: 'dead' as const,
      detail: 'ENOTFOUND',
    })),
    { ...orders, finding: 'missing', detail: '' },
  ];
  expect(endpointsInWords(many)).toBe(
    'switch g0 dead (ENOTFOUND); switch g1 dead (ENOTFOUND); switch g2 dead (ENOTFOUND); switch g3 dead (ENOTFOUND); switch g4 dead (ENOTFOUND); 2 more in trouble; 1 agrees; 1 missing',
  );
  expect(endpointFindingNames).toContain('damaged');
});
