"""Lines of JSON: what a program here is asked on stdin, and what it answers on stdout."""

import json
import queue
import sys
import threading

_end = object()
_output = threading.Lock()


def settings():
    return json.loads(sys.argv[1])


def write(answer):
    with _output:
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


class Records:
    """The records of stdin, as they come."""

    def __init__(self, at_most):
        self._queue = queue.Queue(maxsize=at_most)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in sys.stdin:
            self._queue.put(json.loads(line))
        self._queue.put(_end)

    def batches(self, size):
        """All that has come since the last batch, up to the size; ends with stdin."""
        ended = False
        while not ended:
            batch = [self._queue.get()]
            while len(batch) < size and not self._queue.empty():
                batch.append(self._queue.get())
            ended = batch[-1] is _end
            if ended:
                batch.pop()
            if batch:
                yield batch
