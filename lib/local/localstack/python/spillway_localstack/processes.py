"""Keeps LocalStack on the loopback interface and its child processes within its own process group."""

import os

from localstack.runtime import hooks

# lib/local/localstack/launch.ts tells a port in use by this exit status.
EXIT_PORT_IN_USE = 98


@hooks.on_infra_start(name="spillway_processes")
def patch_processes() -> None:
    listen_on_loopback()
    keep_children_in_group()


def listen_on_loopback() -> None:
    """LocalStack's server ignores the host of GATEWAY_LISTEN, and goes on without a port that it cannot have."""
    from twisted.internet import endpoints
    from twisted.internet.error import CannotListenError

    class LoopbackEndpoint(endpoints.TCP4ServerEndpoint):
        def __init__(self, reactor, port):
            super().__init__(reactor, port, interface="127.0.0.1")

        def listen(self, factory):
            return super().listen(factory).addErrback(end_without_port)

    def end_without_port(failure):
        failure.trap(CannotListenError)
        print(failure.getErrorMessage(), flush=True)
        os._exit(EXIT_PORT_IN_USE)

    endpoints.TCP4ServerEndpoint = LoopbackEndpoint


def keep_children_in_group() -> None:
    """`run` looks at the platform only to give a child (kinesis-local) a session of its own, out of reach of a group's kill."""
    from localstack.utils import run

    run.is_linux = run.is_mac_os = lambda: False
