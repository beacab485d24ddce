"""Writes numbered records with one client of Kinesis, and prints each record that the client says is written.

The programs are what one writes for Kinesis itself: where Kinesis is comes from AWS_ENDPOINT_URL_KINESIS.
"""
import asyncio
import os
import sys
import time

STREAM = "orders"
KEYS = 8
PAUSE_SECONDS = 0.01


def names(count):
    for n in range(count):
        yield f"key-{n % KEYS}", f"{n:06d}"


def say(text):
    print(text, flush=True)


def with_boto3(count):
    import boto3

    client = boto3.client("kinesis")
    batch = []
    for key, text in names(count):
        batch.append({"PartitionKey": key, "Data": text.encode()})
        if len(batch) < 10:
            continue
        while batch:
            answer = client.put_records(StreamName=STREAM, Records=batch)
            for record, result in zip(batch, answer["Records"]):
                if "ErrorCode" not in result:
                    say(record["Data"].decode())
            batch = [
                record for record, result in zip(batch, answer["Records"]) if "ErrorCode" in result
            ]
        time.sleep(10 * PAUSE_SECONDS)


async def with_async_kinesis(count):
    from kinesis import Producer, StringProcessor

    async def flushed(items):
        # Of each item: its size, and its data.
        for item in items:
            data = item.data if hasattr(item, "data") else item[1]
            say((data.decode() if isinstance(data, bytes) else data).strip())

    async with Producer(
        stream_name=STREAM,
        endpoint_url=os.environ["AWS_ENDPOINT_URL_KINESIS"],
        region_name="us-east-1",
        processor=StringProcessor(),
        buffer_time=0.05,
        after_flush_fun=flushed,
    ) as producer:
        for key, text in names(count):
            await producer.put(text, partition_key=key)
            await asyncio.sleep(PAUSE_SECONDS)


async def with_aiokpl(count):
    from aiokpl import Config, Producer

    config = Config(region="us-east-1", endpoint_url=os.environ["AWS_ENDPOINT_URL_KINESIS"])
    async with Producer(config) as producer:
        outcomes = []
        for key, text in names(count):
            outcomes.append((text, await producer.put_record(stream=STREAM, partition_key=key, data=text.encode())))
            await asyncio.sleep(PAUSE_SECONDS)
        for text, outcome in outcomes:
            result = await outcome.wait()
            if result.success:
                say(text)


client, count = sys.argv[1], int(sys.argv[2])
if client == "boto3":
    with_boto3(count)
elif client == "async-kinesis":
    asyncio.run(with_async_kinesis(count))
elif client == "aiokpl":
    asyncio.run(with_aiokpl(count))
else:
    sys.exit(f"unknown client {client}")
