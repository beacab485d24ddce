import { describe, expect, it } from 'vitest';
import { EncodingChoice } from '../../../lib/producer/wire/encoding-choice.ts';
import { ConnectionError, ServiceError, UndecodableAnswerError } from '../../../lib/producer/wire/errors.ts';

const answered = (status: number, name = `Http${status}`) =>
  new ServiceError('As the test asked.', { name, status, requestId: undefined });

function choosing() {
  const clock = { nowMs: 0 };
  return { clock, choice: new EncodingChoice(() => clock.nowMs) };
}

describe('the choice of an encoding', () => {
  it.each([
    [answered(400), true, true],
    [answered(404), true, true],
    [answered(406), true, true],
    [answered(501), true, true],
    [new UndecodableAnswerError('?'), true, true],
    [answered(400, 'ValidationException'), true, true],
    [answered(500, 'InternalFailure'), true, false],
    [answered(400, 'ExpiredTokenException'), false, false],
    [answered(400, 'ProvisionedThroughputExceededException'), false, false],
    [answered(403), false, false],
    [answered(429), false, false],
    [answered(503), false, false],
    [new ConnectionError('?'), false, false],
  ])(
    'doubts CBOR for %s at once while it has not worked: %s; afterwards for the third in a row: %s',
    (error, before, after) => {
      const { choice } = choosing();
      expect(choice.isDoubtful(error)).toBe(before);
      choice.cborWorked();
      expect([1, 2, 3].map(() => choice.isDoubtful(error))).toEqual([false, false, after]);
      expect(choice.isDoubtful(error)).toBe(false);
      choice.cborWorked();
      expect([1, 2].map(() => choice.isDoubtful(error))).toEqual([false, false]);
    },
  );

  it.each([answered(415), answered(400, 'SerializationException')])('takes %s at its word', (error) => {
    const { choice } = choosing();
    choice.cborWorked();
    expect(choice.isDoubtful(error)).toBe(true);
  });

  it('is JSON for some minutes where that has worked, and then CBOR is tried again', () => {
    const { clock, choice } = choosing();
    expect(choice.current).toBe('cbor');
    choice.jsonWorked();
    expect(choice.current).toBe('json');
    clock.nowMs += 4 * 60_000;
    expect(choice.current).toBe('json');
    clock.nowMs += 60_000;
    expect(choice.current).toBe('cbor');
    expect(choice.isDoubtful(answered(404))).toBe(true);
  });
});
