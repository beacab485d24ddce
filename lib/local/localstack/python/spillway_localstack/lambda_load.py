"""Keeps what functions cost in bounds: a drill's health checkers alone make eight invocations a second."""

import threading
from collections import defaultdict
from contextlib import contextmanager

from localstack.aws.api.lambda_ import TooManyRequestsException
from localstack.runtime import hooks

# Processes of one function. Observers run side by side for a moment each minute; nothing else needs more than one or two.
MAX_ENVIRONMENTS = 3
# Route 53's checkers give up after six seconds at most: an invocation that has waited that long is wanted by nobody.
MAX_WAIT_SECONDS = 6


@hooks.on_infra_start(name="spillway_lambda_load")
def patch_lambda() -> None:
    limit_environments()
    drop_invocation_metrics()


def limit_environments() -> None:
    """
    LocalStack starts another process for each invocation that finds the others busy. On a machine that is slow they are
    always busy, each start makes it slower, and what was started stays for ten minutes. Here such an invocation waits.
    """
    from localstack.services.lambda_.invocation.assignment import AssignmentService

    get_environment = AssignmentService.get_environment
    limits = defaultdict(lambda: threading.BoundedSemaphore(MAX_ENVIRONMENTS))
    limits_lock = threading.Lock()

    @contextmanager
    def get_environment_in_turn(self, version_manager_id, function_version, provisioning_type):
        with limits_lock:
            limit = limits[version_manager_id]
        if not limit.acquire(timeout=MAX_WAIT_SECONDS):
            raise TooManyRequestsException("Rate Exceeded.", Reason="ConcurrentInvocationLimitExceeded")
        try:
            with get_environment(self, version_manager_id, function_version, provisioning_type) as environment:
                yield environment
        finally:
            limit.release()

    AssignmentService.get_environment = get_environment_in_turn


def drop_invocation_metrics() -> None:
    """Each invocation commits a transaction to a database on disk, for a metric that nothing here reads."""
    from localstack.services.lambda_.invocation import version_manager

    version_manager.record_cw_metric_invocation = lambda **_kwargs: None
