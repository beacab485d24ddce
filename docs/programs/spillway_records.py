"""The users' records in a Lambda event of Kinesis: KPL aggregates taken apart, Spillway's envelopes removed, the marked records of its
observers left out, and what cannot be read reported. Copy this file beside your handler:

  pip install aws-kinesis-agg        # only where the stream has aggregates

  from spillway_records import process_records

  def handler(event, context):
      return process_records(event, handle)        # handle(record): record.data, record.partition_key, record.record_id, ...

The event source mapping needs FunctionResponseTypes: ReportBatchItemFailures. Does what recordsOf and processRecords of spillway/consumer do.
"""

import base64
import binascii
import hashlib
import re
import sys
import uuid
import zlib
from dataclasses import dataclass
from typing import Optional

AGGREGATE_MAGIC = b"\xf3\x89\x9a\xc2"
MD5_BYTES = 16
ENVELOPE_MAGIC = b"\xc1SPW"
ENVELOPE_BYTES = 56
PROBE_KEY_PREFIX = "spillway-probe/"
PROBE_PREFIX = b'{"spillwayProbe":1,'
SHARD = re.compile(r"(shardId-[^:]+):")
STREAM = re.compile(r"arn:[^:]+:kinesis:([^:]*):[^:]*:stream/([^/]+)")
HASH_KEY = re.compile(r"0|[1-9][0-9]{0,38}")


@dataclass(frozen=True)
class Record:
    """A record as somebody put it, with its place in the stream."""

    data: bytes
    partition_key: str
    explicit_hash_key: Optional[str]  # as an aggregate says; Kinesis does not tell it of a record of its own
    sequence_number: str  # of the record of Kinesis; the records of an aggregate share it
    sub_sequence_number: int  # index in the aggregate, from 0
    aggregated: bool
    arrived_at_ms: Optional[int]
    shard_id: Optional[str]
    region: Optional[str]
    stream: Optional[str]
    source: dict  # the record of the event, as it came
    # With an envelope alone:
    record_id: Optional[str] = None  # the same in every copy of the record
    producer_id: Optional[str] = None
    epoch: Optional[int] = None
    sequence: Optional[int] = None
    first: Optional[bool] = None


@dataclass(frozen=True)
class BadRecord:
    """What cannot be read as a user's record: set it aside, and tell someone."""

    reason: str  # as in docs/envelope.md and docs/aggregates.md; "not-base64", "not-a-record"
    sequence_number: str  # empty where there is none: Lambda then takes the whole batch for failed
    sub_sequence_number: int
    partition_key: str
    shard_id: Optional[str]
    raw: Optional[bytes]  # all the bytes, unchanged
    source: object


class BadRecordError(Exception):
    """A bad record, and no on_bad to set it aside."""


class Rejected(Exception):
    pass


def records_of(event, stop_at_bad=True):
    """(records, bad records, number of marked records, batchItemFailures) of the event.

    With stop_at_bad, records end before the first bad one, which batchItemFailures names: Lambda gives everything from there on
    again. Without it, all records that can be read are returned, and the caller sets the bad ones aside.
    """
    records, bad, probes = [], [], 0
    for item in items_of(event):
        if item is None:
            probes += 1
        elif isinstance(item, Record):
            records.append(item)
        else:
            bad.append(item)
            if stop_at_bad:
                return records, bad, probes, [{"itemIdentifier": item.sequence_number}]
    return records, bad, probes, []


def process_records(event, handle, on_bad=None, once=None):
    """Handles each record in order, stops at the first failure of a shard, and returns the answer for Lambda.

    on_bad(bad) sets a bad record aside, and the records after it are handled; without it, a bad record is a failure, and Lambda
    gives it again as often as the mapping allows: for ever, by its defaults. once(record_id, function) calls the function unless
    the id was handled before; it is asked for records with an envelope.
    """
    failures = {}
    for item in items_of(event):
        if item is None or item.shard_id in failures:
            continue
        try:
            if isinstance(item, BadRecord):
                if on_bad is None:
                    raise BadRecordError(f"{item.reason}: pass on_bad to set such records aside and go on")
                on_bad(item)
            elif once is not None and item.record_id is not None:
                once(item.record_id, lambda item=item: handle(item))
            else:
                handle(item)
        except Exception as error:
            place = f"{item.sequence_number}/{item.sub_sequence_number}"
            print(f"record {place} of {item.shard_id} failed: {error!r}", file=sys.stderr, flush=True)
            failures[item.shard_id] = {"itemIdentifier": item.sequence_number}
    return {"batchItemFailures": list(failures.values())}


def items_of(event):
    """Each Record and BadRecord in its order; None for a marked record."""
    if not isinstance(event, dict) or not isinstance(event.get("Records"), list):
        raise TypeError("the event has no Records: pass the event of a Kinesis trigger")
    for source in event["Records"]:
        yield from items_in(source)


def items_in(source):
    fields = source if isinstance(source, dict) else {}
    kinesis = fields.get("kinesis") if isinstance(fields.get("kinesis"), dict) else {}
    number, key, seconds = (kinesis.get(name) for name in ("sequenceNumber", "partitionKey", "approximateArrivalTimestamp"))
    shard = SHARD.match(str(fields.get("eventID")))
    stream = STREAM.match(str(fields.get("eventSourceARN")))
    shard_id = shard and shard[1]

    def bad(reason, raw=None, sub=0, partition_key=key):
        return BadRecord(
            reason=reason,
            sequence_number=number if isinstance(number, str) else "",
            sub_sequence_number=sub,
            partition_key=partition_key if isinstance(partition_key, str) else "",
            shard_id=shard_id,
            raw=raw,
            source=source,
        )

    is_number = isinstance(number, str) and re.fullmatch("[0-9]+", number)
    is_time = seconds is None or (isinstance(seconds, (int, float)) and not isinstance(seconds, bool))
    if not is_number or not isinstance(kinesis.get("data"), str) or not isinstance(key, (str, type(None))) or not is_time:
        yield bad("not-a-record")
        return
    try:
        raw = base64.b64decode(kinesis["data"], validate=True)
    except (binascii.Error, ValueError):
        yield bad("not-base64")
        return
    try:
        inner = deaggregate(raw)
    except Rejected as rejected:
        yield bad(str(rejected), raw)
        return
    for sub, (partition_key, hash_key, one) in enumerate(inner or [(key or "", None, raw)]):
        try:
            envelope, data = unwrap(one)
        except Rejected as rejected:
            yield bad(str(rejected), one, sub, partition_key)
            continue
        # A marked record says so by its key as well, where that is known: a user's data may begin like its.
        is_marked = not partition_key or partition_key.startswith(PROBE_KEY_PREFIX)
        if envelope is None and is_marked and data.startswith(PROBE_PREFIX):
            yield None
            continue
        yield Record(
            data=data,
            partition_key=partition_key,
            explicit_hash_key=hash_key,
            sequence_number=number,
            sub_sequence_number=sub,
            aggregated=inner is not None,
            arrived_at_ms=None if seconds is None else round(seconds * 1000),
            shard_id=shard_id,
            region=fields.get("awsRegion") or (stream and stream[1]),
            stream=stream and stream[2],
            source=source,
            **(envelope or {}),
        )


def matches(data, magic):
    return sum(a == b for a, b in zip(data, magic))


def unwrap(data):
    """(fields of the envelope or None, the user's bytes), after docs/envelope.md."""
    matching = matches(data, ENVELOPE_MAGIC)
    if matching < 4:
        if matching == 3 and len(data) >= ENVELOPE_BYTES and checksum_holds(data):
            raise Rejected("damaged-magic")
        return None, data
    if len(data) > 4 and data[4] != 1:
        raise Rejected("unknown-version")
    if len(data) < ENVELOPE_BYTES:
        raise Rejected("truncated")
    if not checksum_holds(data):
        raise Rejected("damaged-header")
    if data[5] & ~1 or data[6] or data[7]:
        raise Rejected("unknown-flags")
    sequence = int.from_bytes(data[28:36], "big")
    if sequence >= 2**53:
        raise Rejected("sequence-too-large")
    envelope = {
        "producer_id": str(uuid.UUID(bytes=data[8:24])),
        "epoch": int.from_bytes(data[24:28], "big"),
        "sequence": sequence,
        "first": bool(data[5] & 1),
        "record_id": str(uuid.UUID(bytes=data[36:52])),
    }
    return envelope, data[ENVELOPE_BYTES:]


def checksum_holds(data):
    return zlib.crc32(ENVELOPE_MAGIC + data[4:52]) == int.from_bytes(data[52:56], "big")


def deaggregate(data):
    """[(partition key, explicit hash key or None, data)] of an aggregate, or None for a record of its own. Not the deaggregator of
    aws-kinesis-agg, which hands a damaged aggregate on as a record, and gives the first hash key to records without one."""
    matching = matches(data, AGGREGATE_MAGIC)
    if matching < 3:
        return None
    long = len(data) > 4 + MD5_BYTES
    message = data[4:-MD5_BYTES]
    holds = long and hashlib.md5(message, usedforsecurity=False).digest() == data[-MD5_BYTES:]
    if matching == 3:
        if holds:
            raise Rejected("aggregate-magic")
        return None
    if not long:
        raise Rejected("truncated-aggregate")
    if not holds:
        raise Rejected("aggregate-checksum")
    return read_message(message)


def read_message(message):
    from aws_kinesis_agg import deaggregator  # pip install aws-kinesis-agg
    from google.protobuf.message import DecodeError

    # Its generated module is importable through this one alone, and had another name before 1.2.
    format_module = getattr(deaggregator, "messages_pb2", None) or deaggregator.kpl_pb2
    try:
        aggregate = format_module.AggregatedRecord.FromString(message)
        keys, hash_keys = list(aggregate.partition_key_table), list(aggregate.explicit_hash_key_table)
        records = [
            (
                keys[one.partition_key_index],
                hash_keys[one.explicit_hash_key_index] if one.HasField("explicit_hash_key_index") else None,
                one.data,
            )
            for one in aggregate.records
        ]
    except (DecodeError, UnicodeDecodeError, IndexError) as problem:
        raise Rejected("aggregate-content") from problem
    tags = [text for one in aggregate.records for tag in one.tags for text in (tag.key, tag.value)]
    # Readers of protobuf differ in what they leave to the caller: required fields, and texts that are not UTF-8 and come as bytes.
    are_whole = all(one.HasField("partition_key_index") and one.HasField("data") for one in aggregate.records)
    are_whole = are_whole and all(tag.HasField("key") for one in aggregate.records for tag in one.tags)
    are_texts = all(isinstance(one, str) for one in keys + hash_keys + tags)
    are_numbers = are_texts and all(HASH_KEY.fullmatch(one) and int(one) < 2**128 for one in hash_keys)
    if not records or not are_whole or not are_numbers:
        raise Rejected("aggregate-content")
    return records
