"""
Event source mappings of Kinesis streams that read as Lambda's do: through the faults of a drill, each shard by itself, from
where they were; and that tell CloudWatch how far they are.
"""

import json
import logging
import os
import time
from pathlib import Path

from localstack.runtime import hooks

LOG = logging.getLogger(__name__)

# Written by lib/local/consumers/route.ts: where the pollers of a region reach Kinesis, by region.
ROUTES_FILE = "event-sources.json"
CONNECT_TIMEOUT_SECONDS = 2
READ_TIMEOUT_SECONDS = 10
MINUTE_SECONDS = 60


@hooks.on_infra_start(name="spillway_event_sources")
def patch_pollers() -> None:
    from localstack.services.lambda_.event_source_mapping.pollers.kinesis_poller import KinesisPoller

    read_by_way_of_the_drill(KinesisPoller)
    poll_every_shard(KinesisPoller)
    go_on_where_it_was(KinesisPoller)
    tell_iterator_age(KinesisPoller)


def read_by_way_of_the_drill(poller) -> None:
    """A mapping in an impaired region suffers what every other client there does."""
    init = poller.__init__

    def init_with_client_of_region(self, *args, **kwargs):
        init(self, *args, **kwargs)
        self.source_client = kinesis_client(region_of(self.source_arn))

    poller.__init__ = init_with_client_of_region


def kinesis_client(region: str):
    import boto3
    from botocore.config import Config

    limits = Config(
        retries={"total_max_attempts": 1}, connect_timeout=CONNECT_TIMEOUT_SECONDS, read_timeout=READ_TIMEOUT_SECONDS
    )
    client = own_client(boto3, "kinesis", region, config=limits)

    def take_route(request, **_) -> None:
        route = routes().get(region)
        if route is not None:
            request.url = route + request.url.removeprefix(gateway())

    client.meta.events.register("before-send.kinesis", take_route)
    return client


def own_client(boto3, service: str, region: str, **options):
    credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.Session(**credentials).client(service, region_name=region, endpoint_url=gateway(), **options)


def gateway() -> str:
    from localstack import config

    return f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}"


def routes() -> dict[str, str]:
    """Read again for each call: a drill begins after its mappings, and ends before them."""
    try:
        return json.loads((Path(os.environ["SPILLWAY_LOG_DIR"]) / ROUTES_FILE).read_text())
    except FileNotFoundError:
        return {}


def region_of(arn: str) -> str:
    return arn.split(":")[3]


def poll_every_shard(poller) -> None:
    """LocalStack reads one shard a second; Lambda reads each shard once a second."""
    from localstack.services.lambda_.event_source_mapping.pollers.poller import EmptyPollResultsException
    from localstack.services.lambda_.event_source_mapping.pollers.stream_poller import PipeInternalError

    def poll_events(self) -> None:
        if not self.shards:
            self.shards = self.initialize_shards()
        if not self.shards:
            raise EmptyPollResultsException(service=self.event_source(), source_arn=self.source_arn)
        for gone in self.shard_batcher.keys() - self.shards.keys():
            self.shard_batcher.pop(gone, None)
        for shard_id in list(self.shards):
            if self._is_shutdown.is_set() or shard_id not in self.shards:
                continue
            try:
                self.poll_events_from_shard(shard_id, self.shards[shard_id])
            except PipeInternalError:
                pass  # the next poll asks again

    poller.poll_events = poll_events


def go_on_where_it_was(poller) -> None:
    """
    LocalStack begins at the starting position again when an iterator has expired, a shard has ended or a mapping is enabled
    again. Lambda's checkpoint belongs to the mapping.
    """
    initialize, forward = poller.initialize_shards, poller.forward_events_to_target

    def initialize_after_last(self) -> dict[str, str]:
        shards = initialize(self)
        for shard_id, last in handed_over(self).items():
            if shard_id in shards:
                answer = self.source_client.get_shard_iterator(
                    StreamARN=self.source_arn,
                    ShardId=shard_id,
                    ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                    StartingSequenceNumber=last,
                )
                shards[shard_id] = answer["ShardIterator"]
        return shards

    def forward_and_remember(self, shard_id, records):
        forward(self, shard_id, records)
        if records:
            handed_over(self)[shard_id] = records[-1]["SequenceNumber"]

    poller.initialize_shards = initialize_after_last
    poller.forward_events_to_target = forward_and_remember


# The last record of each shard that a function has taken, by mapping: an update of a mapping makes another poller.
checkpoints: dict[str, dict[str, str]] = {}


def handed_over(poller) -> dict[str, str]:
    return checkpoints.setdefault(poller.esm_uuid, {})


def tell_iterator_age(poller) -> None:
    """The two metrics by which people see a consumer fall behind; LocalStack has neither."""
    get_records, forward = poller.get_records, poller.forward_events_to_target

    def get_records_and_tell(self, shard_iterator):
        answer = get_records(self, shard_iterator)
        stream = self.source_arn.split("/", 1)[1]
        behind = answer.get("MillisBehindLatest", 0)
        ages(self).saw("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", ("StreamName", stream), behind)
        return answer

    def forward_and_tell(self, shard_id, records):
        if records:
            age = (time.time() - records[-1]["ApproximateArrivalTimestamp"].timestamp()) * 1000
            function = function_of(self)
            if function is not None:
                ages(self).saw("AWS/Lambda", "IteratorAge", ("FunctionName", function), max(0, age))
        forward(self, shard_id, records)

    poller.get_records = get_records_and_tell
    poller.forward_events_to_target = forward_and_tell


def function_of(poller) -> str | None:
    target = getattr(getattr(poller.processor, "sender", None), "target_arn", None)
    return None if target is None else target.split(":")[6]


def ages(poller) -> "Ages":
    if not hasattr(poller, "spillway_ages"):
        poller.spillway_ages = Ages(region_of(poller.source_arn))
    return poller.spillway_ages


class Ages:
    """
    The first value of each minute, and its maximum once the minute is over: each call commits a transaction to a database.
    As in CloudWatch, a minute that is not over says nothing yet.
    """

    def __init__(self, region: str) -> None:
        self._region = region
        self._minute = 0
        self._most: dict[tuple, float] = {}
        self._told: dict[tuple, float] = {}
        self._client = None

    def saw(self, namespace: str, name: str, dimension: tuple[str, str], value: float) -> None:
        minute = int(time.time()) // MINUTE_SECONDS
        if minute != self._minute:
            for key, most in self._most.items():
                if most > self._told[key]:
                    self._tell(key, most)
            self._minute, self._most, self._told = minute, {}, {}
        key = (namespace, name, dimension)
        if key not in self._told:
            self._told[key] = value
            self._tell(key, value)
        self._most[key] = max(self._most.get(key, 0), value)

    def _tell(self, key: tuple, value: float) -> None:
        namespace, name, (dimension, of) = key
        datum = {
            "MetricName": name,
            "Dimensions": [{"Name": dimension, "Value": of}],
            "Timestamp": self._minute * MINUTE_SECONDS,
            "Value": value,
            "Unit": "Milliseconds",
        }
        try:
            self._cloudwatch().put_metric_data(Namespace=namespace, MetricData=[datum])
        except Exception as error:  # a metric that is missing is no reason to stop reading
            LOG.warning("%s of %s was not published: %s", name, of, error)

    def _cloudwatch(self):
        if self._client is None:
            import boto3

            self._client = own_client(boto3, "cloudwatch", self._region)
        return self._client
