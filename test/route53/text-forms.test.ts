import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseName } from '../../lib/route53/names.ts';
import { parseTxtValue } from '../../lib/route53/txt.ts';

const strings = (value: string) => parseTxtValue(value)?.map((each) => each.toString('utf8'));

/** "DNS domain name format" (Developer Guide). */
describe('a name', () => {
  // "the \ three-digit octal code"; "* (asterisk)" comes back from the API as \052
  it('loses its trailing dot, letter case and octal escapes, but not an escaped dot', () => {
    expect(normaliseName('WWW.Example.com.')).toBe('www.example.com');
    expect(normaliseName('\\052.example.com.')).toBe('*.example.com');
    expect(normaliseName('\\101.example.com')).toBe('a.example.com');
    expect(normaliseName('a\\056b.example.com')).toBe('a\\056b.example.com');
  });

  it('is its own normal form', () => {
    fc.assert(
      fc.property(fc.domain(), (name) => {
        expect(normaliseName(normaliseName(`${name}.`))).toBe(normaliseName(name));
      }),
    );
  });
});

/** "Supported DNS record types" (Developer Guide), TXT record type. */
describe('a TXT value', () => {
  it('is one or more quoted strings', () => {
    expect(strings('"v=1; region=us-east-1"')).toEqual(['v=1; region=us-east-1']);
    expect(strings('"one" "two"')).toEqual(['one', 'two']);
    expect(strings('""')).toEqual(['']);
  });

  it('may escape quotes, backslashes and octets', () => {
    expect(strings('"say \\"hi\\" \\\\ \\101\\040\\072"')).toEqual(['say "hi" \\ A :']);
    expect(parseTxtValue('"ex\\344mple"')?.[0]).toEqual(Buffer.from('exämple', 'latin1'));
  });

  it('is not anything else', () => {
    for (const value of ['', 'v=1', '"open', '"one" two', '"one\\"'])
      expect(strings(value), value).toBeUndefined();
  });

  // "a maximum of 255 characters"; longer ones have to be split.
  it('is cut into strings of at most 255 bytes', () => {
    expect(parseTxtValue(`"${'x'.repeat(600)}"`)?.map((each) => each.length)).toEqual([255, 255, 90]);
  });

  it('reads back any text that was quoted', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (written) => {
        const quoted = `"${written.replace(/[\\"]/g, '\\$&')}"`;
        expect(Buffer.concat([...(parseTxtValue(quoted) ?? [])]).toString('utf8')).toBe(written);
      }),
    );
  });
});
