"""Reads one event of Lambda as JSON, and writes what spillway_records makes of it, as JSON."""

import base64
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "programs"))
from spillway_records import BadRecord, process_records, records_of  # noqa: E402


def plain(item):
    fields = {name: value for name, value in vars(item).items() if name != "source" and value is not None}
    for name in ("data", "raw"):
        if name in fields:
            fields[name] = base64.b64encode(fields[name]).decode()
    return fields


def summary(event, failing):
    records, bad, probes, _ = records_of(event, stop_at_bad=False)
    until_bad, _, _, failures = records_of(event)
    handled, aside, seen = [], [], set()

    def handle(record):
        if record.data.decode("latin-1") in failing:
            raise ValueError("this one")
        handled.append(base64.b64encode(record.data).decode())

    def once(record_id, function):
        if record_id not in seen:
            function()
            seen.add(record_id)

    answer = process_records(event, handle, on_bad=aside.append, once=once)
    assert all(isinstance(one, BadRecord) for one in aside)
    return {
        "records": [plain(one) for one in records],
        "bad": [plain(one) for one in bad],
        "probes": probes,
        "untilBad": len(until_bad),
        "failures": failures,
        "handled": handled,
        "setAside": len(aside),
        "answer": answer,
    }


for line in sys.stdin:
    question = json.loads(line)
    print(json.dumps(summary(question["event"], question["failing"])))
