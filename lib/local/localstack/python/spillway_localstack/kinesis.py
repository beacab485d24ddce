"""Makes every first call of Kinesis wait until its server listens, and tells where that is."""

import os
from pathlib import Path

from localstack.runtime import hooks


@hooks.on_infra_start(name="spillway_kinesis")
def wait_for_server() -> None:
    """LocalStack hands out a server that is still starting to all but the call that started it, and those are refused."""
    from localstack.services.kinesis.kinesis_mock_server import KinesisServerManager

    get_server = KinesisServerManager.get_server_for_account

    def get_server_that_listens(self, account_id):
        with self._lock:
            is_new = account_id not in self._servers
            server = get_server(self, account_id)
            if is_new:
                tell(server.port)
            return server

    KinesisServerManager.get_server_for_account = get_server_that_listens


def tell(port: int) -> None:
    """For lib/local/localstack/kinesis-local.ts; whole at once, as it may be read at any moment."""
    directory = Path(os.environ["SPILLWAY_LOG_DIR"])
    unfinished = directory / "kinesis.url.new"
    unfinished.write_text(f"http://127.0.0.1:{port}")
    unfinished.replace(directory / "kinesis.url")
