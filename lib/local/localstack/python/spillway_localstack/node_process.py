"""One Node process that runs a function's handler, and the two pipes to it."""

import json
import os
import select
import subprocess
import time
from pathlib import Path


class ProcessEnded(Exception):
    pass


class NodeProcess:
    """
    Requests go to standard input and answers come back on a pipe of their own, one JSON object a line; standard output and
    error go to the function's log. The process ends by itself once its standard input is closed.
    """

    def __init__(self, directory: str, environment: dict[str, str], log_file: Path) -> None:
        self.ready = False
        self._buffer = b""
        self._answers, answers_of_child = os.pipe()
        try:
            with log_file.open("ab") as log:
                self._process = subprocess.Popen(
                    [os.environ["SPILLWAY_NODE"], os.environ["SPILLWAY_LAMBDA_BOOTSTRAP"]],
                    cwd=directory,
                    env=environment | {"SPILLWAY_ANSWERS_FD": str(answers_of_child)},
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    pass_fds=[answers_of_child],
                )
        except BaseException:
            os.close(self._answers)
            raise
        finally:
            os.close(answers_of_child)

    def is_running(self) -> bool:
        return self._process.poll() is None

    def send(self, message: dict) -> None:
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError) as error:
            raise ProcessEnded(self._how_it_ended()) from error

    def receive(self, timeout_seconds: float) -> dict:
        """The next message; raises TimeoutError, or ProcessEnded when the process ends first."""
        deadline = time.monotonic() + timeout_seconds
        while b"\n" not in self._buffer:
            remaining = deadline - time.monotonic()
            poller = select.poll()  # select() cannot take a file descriptor above 1023
            poller.register(self._answers, select.POLLIN)
            if remaining <= 0 or not poller.poll(remaining * 1000):
                raise TimeoutError
            chunk = os.read(self._answers, 65536)
            if not chunk:
                raise ProcessEnded(self._how_it_ended())
            self._buffer += chunk
        line, self._buffer = self._buffer.split(b"\n", 1)
        return json.loads(line)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _how_it_ended(self) -> str:
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()
            return "without an answer"
        return f"with error: exit status {status}" if status >= 0 else f"with error: signal {-status}"

    def __del__(self) -> None:
        os.close(self._answers)
