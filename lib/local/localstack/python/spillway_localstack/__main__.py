"""Starts LocalStack in this process, which must lead its own process group."""

import os
import select
import signal
import sys
import threading


def allow_lock_in_annotations() -> None:
    """LocalStack annotates with `Lock | None`; before Python 3.13 `threading.Lock` is a function, which has no `|`."""
    if sys.version_info >= (3, 13):
        return
    allocate = threading.Lock

    class Lock:
        def __new__(cls):
            return allocate()

    threading.Lock = Lock


def guard_process_group() -> None:
    """
    Forks a process that kills the whole group once this process or its parent has died, by whatever means: both hold a pipe
    open that ends with them. A thread could not outlive this process, nor could a busy function see a pipe end.
    """
    ends_with_us, held_open = os.pipe()
    if os.fork() > 0:
        os.close(ends_with_us)
        return
    os.close(held_open)
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    while True:
        readable, _, _ = select.select([sys.stdin.fileno(), ends_with_us], [], [])
        if any(os.read(each, 4096) == b"" for each in readable):
            os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    if os.getpgrp() != os.getpid():
        sys.exit("spillway_localstack must be started as the leader of its own process group")
    guard_process_group()
    allow_lock_in_annotations()

    from localstack.runtime.main import main

    main()
