import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  decode,
  encode,
  type OptAnswer,
  type Packet,
  type Question,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import type { AnsweredRecord, DnsAnswer, DnsQuery } from './answer.ts';
import { parseTxtValue } from './txt.ts';

/** The reply to one datagram; `response` undefined means that there is none. */
export interface Reply {
  readonly response?: Buffer;
  readonly query?: DnsQuery;
  readonly answer?: DnsAnswer;
}

export type Answerer = (query: DnsQuery) => DnsAnswer;

const HEADER_BYTES = 12;
/** Without EDNS a datagram holds 512 bytes (RFC 1035); larger offers are taken up to a size that is never fragmented on loopback. */
const PLAIN_UDP_BYTES = 512;
const MAX_UDP_BYTES = 4_096;
const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
type Rcode = keyof typeof rcodes;
const OPCODE_MASK = 0x78;

/** Answers one datagram. Never throws: what cannot be understood is answered with an error code, or not at all. */
export function replyTo(datagram: Buffer, answerer: Answerer, soa: AnsweredRecord | undefined): Reply {
  // A message too short for a header, or itself a response, gets no reply: two servers could otherwise loop.
  if (datagram.length < HEADER_BYTES || (datagram.readUInt8(2) & 0x80) !== 0) return {};
  if ((datagram.readUInt8(2) & OPCODE_MASK) !== 0) return { response: bareResponse(datagram, 'NOTIMP') };
  const request = decodeOrUndefined(datagram);
  const [question, ...others] = request?.questions ?? [];
  if (request === undefined || question === undefined || others.length > 0) {
    return { response: bareResponse(datagram, 'FORMERR') };
  }
  try {
    return answerQuestion(request, question, { answerer, soa });
  } catch {
    return { response: bareResponse(datagram, 'SERVFAIL') };
  }
}

function decodeOrUndefined(datagram: Buffer): DecodedPacket | undefined {
  try {
    return decode(datagram);
  } catch {
    return undefined;
  }
}

interface Knowledge {
  readonly answerer: Answerer;
  readonly soa: AnsweredRecord | undefined;
}

function answerQuestion(request: DecodedPacket, question: Question, knowledge: Knowledge): Reply {
  const query = { name: question.name, type: question.type };
  const answer: DnsAnswer =
    question.class === 'IN' ? knowledge.answerer(query) : { rcode: 'REFUSED', records: [] };
  const edns = request.additionals?.find((record): record is OptAnswer => record.type === 'OPT');
  const limit = edns
    ? Math.min(Math.max(edns.udpPayloadSize, PLAIN_UDP_BYTES), MAX_UDP_BYTES)
    : PLAIN_UDP_BYTES;
  // The first owner name is the question's, spelled as asked: resolvers that vary the letter case compare it.
  const answers = answer.records.flatMap((record, index) =>
    toAnswers(index === 0 ? { ...record, name: question.name } : record),
  );
  const found = answer.records.some((record) => record.type === question.type);
  const needsSoa = !found && (answer.rcode === 'NOERROR' || answer.rcode === 'NXDOMAIN');
  const packet: Packet = {
    type: 'response',
    id: request.id ?? 0,
    flags:
      (answer.rcode === 'REFUSED' ? 0 : AUTHORITATIVE_ANSWER) |
      (request.flag_rd ? RECURSION_DESIRED : 0) |
      rcodes[answer.rcode],
    questions: [question],
    answers,
    authorities: needsSoa && knowledge.soa ? toAnswers(knowledge.soa) : [],
    additionals: edns ? [optRecord()] : [],
  };
  return { response: encodeWithin(packet, limit), query, answer };
}

function encodeWithin(packet: Packet, limit: number): Buffer {
  const whole = encode(packet);
  if (whole.length <= limit) return whole;
  return encode({ ...packet, flags: (packet.flags ?? 0) | TRUNCATED_RESPONSE, answers: [], authorities: [] });
}

function optRecord(): OptAnswer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: MAX_UDP_BYTES,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}

/** A response of the header alone, for messages whose question is not to be trusted. */
function bareResponse(datagram: Buffer, rcode: Rcode): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  datagram.copy(header, 0, 0, 3);
  header.writeUInt8(header.readUInt8(2) | 0x80, 2);
  header.writeUInt8(rcodes[rcode], 3);
  return header;
}

function toAnswers(record: AnsweredRecord): Answer[] {
  const { name, ttlSeconds: ttl } = record;
  return record.values.flatMap((value): Answer[] => {
    switch (record.type) {
      case 'TXT': {
        const strings = parseTxtValue(value);
        return strings ? [{ type: 'TXT', name, ttl, data: [...strings] }] : [];
      }
      case 'SOA':
        return [{ type: 'SOA', name, ttl, data: toSoa(value) }];
      case 'A':
      case 'AAAA':
      case 'CNAME':
      case 'NS':
        return [{ type: record.type, name, ttl, data: value }];
      default:
        return record.type satisfies never;
    }
  });
}

function toSoa(value: string) {
  const [mname = '', rname = '', ...numbers] = value.trim().split(/\s+/);
  const [serial, refresh, retry, expire, minimum] = numbers.map((text) => Number.parseInt(text, 10) >>> 0);
  return { mname, rname, serial, refresh, retry, expire, minimum };
}
