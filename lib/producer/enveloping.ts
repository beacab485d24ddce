import { v7 } from 'uuid';
import { KeySequencer } from '../envelope/key-sequencer.ts';
import { RecordIds } from '../envelope/record-ids.ts';
import { ENVELOPE_BYTES, wrap } from '../envelope/wrap.ts';

/** Puts records into envelopes, in the order in which they are taken in: retries and the spool keep their ids. */
export interface Enveloping {
  /** Bytes that an envelope adds. */
  readonly bytes: number;
  readonly wrap: (partitionKey: string, data: Uint8Array) => Uint8Array;
  /** The region has changed: records that the other region holds are not a gap in this one. */
  readonly moved: () => void;
}

/** The producer's id is a fresh one per start, so that numbers of an earlier process are not continued by accident. */
export function enveloping(): Enveloping {
  const producerId = v7(undefined, new Uint8Array(16));
  const ids = new RecordIds();
  const sequencer = new KeySequencer();
  return {
    bytes: ENVELOPE_BYTES,
    wrap: (partitionKey, data) =>
      wrap({ producerId, ...sequencer.next(partitionKey), recordId: ids.next(), data }),
    moved: () => void sequencer.advance(),
  };
}
