"""Puts batches of 100 records with boto3 for some seconds, and prints how long a call takes and how many records fit into a second."""
import json
import os
import sys
import threading
import time

import boto3
from botocore.config import Config

url, ca, seconds, workers = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
client = boto3.client(
    "kinesis",
    endpoint_url=url,
    verify=ca or None,
    config=Config(max_pool_connections=workers, retries={"max_attempts": 0}),
)
batches = [
    [{"PartitionKey": f"order-{batch}-{n}", "Data": os.urandom(200)} for n in range(100)] for batch in range(64)
]
took = []


def work(worker, until, into):
    n = worker
    while time.perf_counter() < until:
        start = time.perf_counter()
        answer = client.put_records(StreamName="orders", Records=batches[n % len(batches)])
        if answer["FailedRecordCount"] != 0:
            raise RuntimeError("a record failed")
        into.append(time.perf_counter() - start)
        n += workers


work(0, time.perf_counter() + seconds / 4, [])
start = time.perf_counter()
threads = [threading.Thread(target=work, args=(worker, start + seconds, took)) for worker in range(workers)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
elapsed = time.perf_counter() - start
took.sort()
print(
    json.dumps(
        {
            "p50Ms": took[len(took) // 2] * 1000,
            "p99Ms": took[len(took) * 99 // 100] * 1000,
            "recordsPerSecond": len(took) * 100 / elapsed,
        }
    )
)
