import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endpointText, endpointValues, parseEndpointText } from '../../lambda/core/endpoint-text.ts';
import { evacuateMarker, standbyMarker } from '../../lambda/core/names.ts';

/** Every text that an endpoint can give, with what it says. */
const texts = [true, false].flatMap((read) => [
  ...endpointValues.vote.map((value) => ({
    kind: 'vote' as const,
    value,
    read,
    text: endpointText('vote', { value, read }),
  })),
  ...endpointValues.switch.map((value) => ({
    kind: 'switch' as const,
    value,
    read,
    text: endpointText('switch', { value, read }),
  })),
]);
/** What answers are padded to (`lib/endpoint`). */
const BODY_LENGTH = 32;

describe('the text of an endpoint', () => {
  it('is the marker of the checkers, and nothing else, when it was read', () => {
    expect(endpointText('vote', { value: 'EVACUATE', read: true })).toBe(evacuateMarker);
    expect(endpointText('switch', { value: 'STANDBY', read: true })).toBe(standbyMarker);
    expect(endpointText('vote', { value: 'HOLD', read: true })).toBe('vote=HOLD');
    expect(endpointText('switch', { value: 'PRIMARY', read: true })).toBe('switch=PRIMARY');
  });

  it('has the marker of the checkers for no other value, and for this one although it was not read', () => {
    const marked = texts.filter(({ text }) => text.includes(evacuateMarker) || text.includes(standbyMarker));
    expect(marked.map(({ value, read }) => `${value} ${read}`)).toEqual([
      'EVACUATE true',
      'STANDBY true',
      'EVACUATE false',
      'STANDBY false',
    ]);
  });

  it('is one of eight, each understood with any padding, and each within the size of all answers', () => {
    expect(new Set(texts.map(({ text }) => text)).size).toBe(8);
    for (const { kind, value, read, text } of texts) {
      expect(parseEndpointText(kind, text)).toEqual({ value, read });
      expect(parseEndpointText(kind, text.padEnd(BODY_LENGTH))).toEqual({ value, read });
      expect(text.length).toBeLessThanOrEqual(BODY_LENGTH);
    }
  });

  it('is nothing else', () => {
    const known = new Set(texts.map(({ text }) => text));
    fc.assert(
      fc.property(fc.constantFrom('vote' as const, 'switch' as const), fc.string(), (kind, text) => {
        if (!known.has(text.trimEnd())) expect(parseEndpointText(kind, text)).toBeUndefined();
      }),
    );
    expect(parseEndpointText('vote', 'switch=STANDBY')).toBeUndefined();
    expect(parseEndpointText('vote', 'vote=EVACUATE!')).toBeUndefined();
    expect(parseEndpointText('vote', ' vote=HOLD')).toBeUndefined();
  });
});
