"""Makes every first call of Kinesis wait until its server listens."""

from localstack.runtime import hooks


@hooks.on_infra_start(name="spillway_kinesis")
def wait_for_server() -> None:
    """LocalStack hands out a server that is still starting to all but the call that started it, and those are refused."""
    from localstack.services.kinesis.kinesis_mock_server import KinesisServerManager

    get_server = KinesisServerManager.get_server_for_account

    def get_server_that_listens(self, account_id):
        with self._lock:
            return get_server(self, account_id)

    KinesisServerManager.get_server_for_account = get_server_that_listens
