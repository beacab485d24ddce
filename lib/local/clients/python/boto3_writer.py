"""Puts the records of stdin with boto3, as anybody would: one PutRecords after the other, and what failed again."""

import base64
import time

import boto3
from botocore.config import Config

from lines import Records, settings, write

BATCH = 500
PAUSE_SECONDS = 0.1

asked = settings()
client = boto3.client(
    "kinesis",
    region_name=asked["region"],
    endpoint_url=asked["endpoint"],
    verify=asked.get("caFile"),
    aws_access_key_id=asked["accessKeyId"],
    aws_secret_access_key=asked["secretAccessKey"],
    config=Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "max_attempts": 10}),
)


def entry(record):
    put = {"PartitionKey": record["partitionKey"], "Data": base64.b64decode(record["data"])}
    if "explicitHashKey" in record:
        put["ExplicitHashKey"] = record["explicitHashKey"]
    return put


def put(batch):
    while batch:
        try:
            answer = client.put_records(StreamName=asked["stream"], Records=[entry(record) for record in batch])
        except Exception as error:  # what boto3 raises after its retries: the application goes on
            write({"problem": str(error)})
            time.sleep(PAUSE_SECONDS)
            continue
        failed = []
        for record, result in zip(batch, answer["Records"]):
            if "ErrorCode" in result:
                failed.append(record)
            else:
                write({"id": record["id"], "shardId": result["ShardId"], "sequenceNumber": result["SequenceNumber"]})
        if failed:
            time.sleep(PAUSE_SECONDS)
        batch = failed


for batch in Records(at_most=100_000).batches(BATCH):
    put(batch)
