"""Puts the records of stdin with aiokpl, which writes KPL aggregates."""

import asyncio
import base64

from aiokpl import Config, Producer

from lines import Records, settings, write

asked = settings()


async def tell(record, outcome):
    result = await outcome.wait()
    if result.success:
        write({"id": record["id"], "shardId": result.shard_id, "sequenceNumber": result.sequence_number})
    else:
        last = result.attempts[-1] if result.attempts else None
        write({"id": record["id"], "failed": str(last and last.error_message)})


async def main():
    loop = asyncio.get_running_loop()
    batches = Records(at_most=100_000).batches(500)
    config = Config(
        region=asked["region"],
        endpoint_url=asked["endpoint"],
        # Handed to botocore as it is, which takes a file of authorities as well.
        verify_ssl=asked.get("caFile", True),
        aws_access_key_id=asked["accessKeyId"],
        aws_secret_access_key=asked["secretAccessKey"],
    )
    telling = set()
    async with Producer(config) as producer:
        while (batch := await loop.run_in_executor(None, next, batches, None)) is not None:
            for record in batch:
                outcome = await producer.put_record(
                    stream=asked["stream"],
                    partition_key=record["partitionKey"],
                    explicit_hash_key=record.get("explicitHashKey"),
                    data=base64.b64decode(record["data"]),
                )
                task = asyncio.create_task(tell(record, outcome))
                telling.add(task)
                task.add_done_callback(telling.discard)
        await producer.flush()
        while telling:
            await asyncio.wait(telling)


asyncio.run(main())
