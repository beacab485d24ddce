"""Writes records to the Kinesis stream that the signal names: lines of stdin, each a key, a tab, and data.

  pip install boto3 dnspython
  python follow_signal.py signal.orders.example.com us-east-1,us-west-2 < records.tsv
"""

import os
import random
import re
import sys
import threading
import time

import boto3
import dns.exception
import dns.nameserver
import dns.resolver
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

POLL_S = float(os.environ.get("SIGNAL_POLL_SECONDS", "2"))
DNS_TIMEOUT_S = 1.0
# One attempt: the next one should go where the signal points by then.
CLIENT = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 1})
# No other attempt, and no other region, would help.
FOR_GOOD = {"ValidationException", "InvalidArgumentException", "SerializationException"}


class NotASignal(Exception):
    pass


def parse(text, regions, accounts=()):
    """The signal of a TXT answer, like "v=1; region=us-east-1; stream=orders". Strict: anybody may write DNS answers."""
    fields = {}
    for part in text.split(";"):
        key, equals, value = part.strip().partition("=")
        if not key or not equals or "=" in value or key in fields:
            raise NotASignal("malformed")
        fields[key] = value
    if not text.startswith("v=") or len(text) > 255 or fields["v"] != "1":
        raise NotASignal("another version, or none")
    region, stream, account = fields.get("region"), fields.get("stream"), fields.get("account")
    if region not in regions:
        raise NotASignal(f"a region that is not expected: {region}")
    if stream is None or not re.fullmatch(r"[A-Za-z0-9_.-]{1,128}", stream):
        raise NotASignal("no stream")
    if account is None:
        return region, {"StreamName": stream}
    if account not in accounts:
        raise NotASignal(f"an account that is not expected: {account}")
    return region, {"StreamARN": f"arn:aws:kinesis:{region}:{account}:stream/{stream}"}


class SignalFollower:
    """Asks DNS every few seconds, and keeps the last good answer when DNS fails or answers nonsense."""

    def __init__(self, name, regions, servers=None):
        self._name, self._regions, self._servers = name, regions, servers
        self._signal = None
        self._known = threading.Event()
        threading.Thread(target=self._follow, daemon=True).start()

    def current(self):
        """The region, and how a request names the stream. Waits for the first signal."""
        self._known.wait()
        return self._signal

    def _follow(self):
        while True:
            try:
                signal = self._ask()
                if signal != self._signal:
                    print(f"signal: {signal[0]}", file=sys.stderr, flush=True)
                self._signal = signal
                self._known.set()
            except (dns.exception.DNSException, NotASignal, OSError) as problem:
                print(f"signal: {problem}; the last good one stays", file=sys.stderr, flush=True)
            time.sleep(POLL_S * random.uniform(0.9, 1.1))

    def _ask(self):
        # A new resolver each time: the machine's servers may have changed. It caches nothing.
        resolver = dns.resolver.Resolver(configure=self._servers is None)
        if self._servers is not None:
            resolver.nameservers = self._servers
        answers = list(resolver.resolve(self._name, "TXT", lifetime=DNS_TIMEOUT_S, search=False))
        if len(answers) != 1:
            raise NotASignal(f"{len(answers)} answers")
        return parse(b"".join(answers[0].strings).decode("ascii", "replace"), self._regions)


class Writer:
    def __init__(self, follower):
        self._follower = follower
        self._clients = {}

    def put(self, key, data):
        """Returns when a stream has the record. One record after the other, so that they stay in order."""
        pause_s = 0.05
        while True:
            region, stream = self._follower.current()
            try:
                answer = self._client(region).put_record(**stream, PartitionKey=key, Data=data)
                return region, answer["SequenceNumber"]
            except (BotoCoreError, ClientError) as error:
                code = getattr(error, "response", {}).get("Error", {}).get("Code")
                if code in FOR_GOOD:
                    raise
                print(f"{region}: {code or type(error).__name__}; again", file=sys.stderr, flush=True)
            time.sleep(random.uniform(0, pause_s))
            pause_s = min(2 * pause_s, 2)

    def _client(self, region):
        if region not in self._clients:
            self._clients[region] = boto3.client("kinesis", region_name=region, config=CLIENT)
        return self._clients[region]


def servers_of(text):
    """Servers to ask in place of the machine's, like "127.0.0.1:5353"."""
    if not text:
        return None
    host, _, port = text.partition(":")
    return [dns.nameserver.Do53Nameserver(host, int(port or 53))]


def main():
    name, regions = sys.argv[1], sys.argv[2].split(",")
    writer = Writer(SignalFollower(name, regions, servers_of(os.environ.get("SIGNAL_DNS"))))
    for line in sys.stdin:
        key, _, data = line.rstrip("\n").partition("\t")
        region, sequence_number = writer.put(key, data.encode())
        print(region, sequence_number, flush=True)


if __name__ == "__main__":
    main()
