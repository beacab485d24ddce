"""Runs Lambda functions as Node subprocesses instead of Docker containers."""

import json
import logging
import os
import tempfile
import time
from pathlib import Path

from localstack import config
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from .node_process import NodeProcess, ProcessEnded

LOG = logging.getLogger(__name__)

# Lambda's own limit for the init phase (Developer guide, "Understanding the Lambda execution environment lifecycle").
INIT_TIMEOUT_SECONDS = 10


class NodeExecutorPlugin(RuntimeExecutorPlugin):
    name = "spillway-node"

    def load(self, *args, **kwargs) -> type[RuntimeExecutor]:
        return NodeRuntimeExecutor


class NodeRuntimeExecutor(RuntimeExecutor):
    """One execution environment: at most one Node process, which takes one invocation at a time."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id=id, function_version=function_version)
        self._environment: dict[str, str] = {}
        self._process: NodeProcess | None = None
        self._stopped = False
        function = function_version.id
        self._log_file = Path(os.environ["SPILLWAY_LOG_DIR"]) / f"lambda-{function.region}-{function.function_name}.log"

    def start(self, env_vars: dict[str, str]) -> None:
        code = self.function_version.config.code
        code.prepare_for_execution()  # a code update does not call prepare_version
        task_root = str(code.get_unzipped_code_location())
        self._environment = {name: str(value) for name, value in env_vars.items()} | {
            "PATH": os.environ["PATH"],
            "TMPDIR": tempfile.gettempdir(),
            "LAMBDA_TASK_ROOT": task_root,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{self.function_version.config.runtime}",
        }
        self._process = self._spawn()

    def _spawn(self) -> NodeProcess:
        return NodeProcess(self._environment["LAMBDA_TASK_ROOT"], self._environment, self._log_file)

    def stop(self) -> None:
        self._stopped = True
        if self._process:
            self._process.kill()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        request_id = payload["invoke-id"]
        log_start = self._log_size()
        started = time.monotonic()
        body, is_error = self._run(request_id, payload)
        duration_ms = (time.monotonic() - started) * 1000
        logs = self._log_since(log_start)
        # LocalStack stores what is not empty, by a call of its own: the report alone is not worth one.
        if logs:
            logs += f"REPORT RequestId: {request_id}\tDuration: {duration_ms:.2f} ms\n"
        return InvocationResult(request_id, body, is_error, logs)

    def _run(self, request_id: str, payload: dict[str, str]) -> tuple[bytes, bool]:
        if self._process is None or not self._process.is_running():
            if self._stopped:
                return self._fail(request_id, "Runtime.ExitError", "The function was updated or deleted")
            self._process = self._spawn()  # the last invocation timed out or ended the process
        process = self._process
        limit = self.function_version.config.timeout
        try:
            if not process.ready:
                answer = process.receive(INIT_TIMEOUT_SECONDS)
                if answer["type"] == "failed":
                    process.kill()
                    return json.dumps(answer["error"]).encode(), True
                process.ready = True
            process.send(
                {
                    "requestId": request_id,
                    "functionArn": payload["invoked-function-arn"],
                    "event": payload["payload"],
                    "deadlineMs": int((time.time() + limit) * 1000),
                    "traceId": payload.get("trace-id"),
                }
            )
            answer = process.receive(limit)
        except TimeoutError:
            process.kill()
            seconds = limit if process.ready else INIT_TIMEOUT_SECONDS
            return self._fail(request_id, "Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds")
        except ProcessEnded as ended:
            return self._fail(request_id, "Runtime.ExitError", f"Runtime exited {ended}")
        if answer["type"] == "failed":
            return json.dumps(answer["error"]).encode(), True
        return answer["result"].encode(), False

    def _fail(self, request_id: str, error_type: str, message: str) -> tuple[bytes, bool]:
        text = f"RequestId: {request_id} Error: {message}"
        with self._log_file.open("a") as log:
            log.write(f"{text}\n")
        return json.dumps({"errorType": error_type, "errorMessage": text}).encode(), True

    def _log_size(self) -> int:
        return self._log_file.stat().st_size if self._log_file.exists() else 0

    def _log_since(self, start: int) -> str:
        """What the function wrote since then; concurrent invocations of one function share its log."""
        limit = 64 * 1024
        if not self._log_file.exists():
            return ""
        with self._log_file.open("rb") as log:
            log.seek(max(start, self._log_size() - limit))
            return log.read(limit).decode(errors="replace")

    def get_logs(self) -> str:
        return self._log_since(0)

    # LocalStack derives AWS_ENDPOINT_URL from this address, below what the function itself sets.
    def get_endpoint_from_executor(self) -> str:
        return "127.0.0.1"

    def get_address(self) -> str:
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        return f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}"

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        pass
