"""Reads lines of JSON, answers each with one: aws_kinesis_agg of PyPI takes apart, or makes, an aggregate."""

import base64
import json
import sys

from aws_kinesis_agg.aggregator import RecordAggregator
from aws_kinesis_agg.deaggregator import deaggregate_records


def take_apart(data):
    record = {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "sequenceNumber": "1",
            "approximateArrivalTimestamp": 0,
            "partitionKey": "whole",
            "data": data,
        }
    }
    found = [one["kinesis"] for one in deaggregate_records([record])]
    return [
        {
            "partitionKey": one["partitionKey"],
            "explicitHashKey": one.get("explicitHashKey"),
            "aggregated": one.get("aggregated", False),
            "subSequenceNumber": one.get("subSequenceNumber"),
            "data": one["data"].decode() if isinstance(one["data"], bytes) else one["data"],
        }
        for one in found
    ]


def make(records):
    aggregator = RecordAggregator()
    for one in records:
        aggregator.add_user_record(one["partitionKey"], base64.b64decode(one["data"]), one.get("explicitHashKey"))
    _, _, data = aggregator.clear_and_get().get_contents()
    return {"data": base64.b64encode(data).decode()}


for line in sys.stdin:
    question = json.loads(line)
    answer = take_apart(question["takeApart"]) if "takeApart" in question else make(question["make"])
    print(json.dumps(answer))
