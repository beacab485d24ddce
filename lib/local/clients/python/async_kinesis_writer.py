"""Puts the records of stdin, which are text, each another one, with async-kinesis. It says which records it has put, and not where."""

import asyncio
import base64
import os

from kinesis import Producer
from kinesis.processors import StringProcessor

from lines import Records, settings, write

asked = settings()
os.environ["AWS_ACCESS_KEY_ID"] = asked["accessKeyId"]
os.environ["AWS_SECRET_ACCESS_KEY"] = asked["secretAccessKey"]
if "caFile" in asked:
    os.environ["AWS_CA_BUNDLE"] = asked["caFile"]


ids = {}


async def flushed(items):
    for item in items:
        write({"id": ids.pop(item.data.decode())})


async def main():
    records = Records(at_most=100_000)
    loop = asyncio.get_running_loop()
    batches = records.batches(500)
    async with Producer(
        stream_name=asked["stream"],
        endpoint_url=asked["endpoint"],
        region_name=asked["region"],
        buffer_time=0.1,
        processor=StringProcessor(),
        after_flush_fun=flushed,
        use_list_shards=True,
    ) as producer:
        while (batch := await loop.run_in_executor(None, next, batches, None)) is not None:
            for record in batch:
                text = base64.b64decode(record["data"]).decode()
                ids[text] = record["id"]
                await producer.put(text, partition_key=record["partitionKey"])


asyncio.run(main())
