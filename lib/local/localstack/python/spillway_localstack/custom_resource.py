"""Custom resources backed by a function, which LocalStack's CloudFormation lacks: the app must deploy here as it is."""

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer

from localstack.services.cloudformation.resource_provider import (
    CloudFormationResourceProviderPlugin,
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceRequest,
)

DEFAULT_TIMEOUT_S = 300
MAX_RESPONSE_BYTES = 4096
PHYSICAL_ID = "PhysicalResourceId"


class ResponseServer(HTTPServer):
    """The response URL of one request, on loopback: S3 does that part in AWS."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _ResponseHandler)
        self.response: dict | None = None
        self.arrived = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{uuid.uuid4()}"


class _ResponseHandler(BaseHTTPRequestHandler):
    def do_PUT(self):
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(min(length, MAX_RESPONSE_BYTES + 1))
        accepted = length <= MAX_RESPONSE_BYTES
        self.send_response(200 if accepted else 400)
        self.end_headers()
        if accepted:
            self.server.response = json.loads(body)
            self.server.arrived.set()

    def log_message(self, *_):
        pass


class CustomResourceProvider(ResourceProvider[dict]):
    """Sends the function the events that CloudFormation sends, and waits for what it puts at the response URL."""

    TYPE = "AWS::CloudFormation::CustomResource"
    SCHEMA = {
        "typeName": TYPE,
        "properties": {"ServiceToken": {"type": "string"}, PHYSICAL_ID: {"type": "string"}},
        "required": ["ServiceToken"],
        "primaryIdentifier": [f"/properties/{PHYSICAL_ID}"],
        "createOnlyProperties": ["/properties/ServiceToken"],
    }

    def create(self, request: ResourceRequest[dict]) -> ProgressEvent[dict]:
        return self._ask(request, "Create", request.desired_state, {})

    def update(self, request: ResourceRequest[dict]) -> ProgressEvent[dict]:
        previous = request.previous_state or {}
        more = {
            "OldResourceProperties": _specified(previous),
            PHYSICAL_ID: previous.get(PHYSICAL_ID) or request.logical_resource_id,
        }
        return self._ask(request, "Update", request.desired_state, more)

    def delete(self, request: ResourceRequest[dict]) -> ProgressEvent[dict]:
        model = request.desired_state
        return self._ask(request, "Delete", model, {PHYSICAL_ID: model.get(PHYSICAL_ID) or request.logical_resource_id})

    def _ask(self, request: ResourceRequest[dict], kind: str, model: dict, more: dict) -> ProgressEvent[dict]:
        server = ResponseServer()
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            event = {
                "RequestType": kind,
                "RequestId": str(uuid.uuid4()),
                "ResponseURL": server.url,
                "ResourceType": request.resource_type,
                "LogicalResourceId": request.logical_resource_id,
                "StackId": f"arn:aws:cloudformation:{request.region_name}:{request.account_id}:stack/{request.stack_name}/0",
                "ServiceToken": model["ServiceToken"],
                "ResourceProperties": _specified(model),
                **more,
            }
            request.aws_client_factory.lambda_.invoke(
                FunctionName=model["ServiceToken"], InvocationType="Event", Payload=json.dumps(event)
            )
            timeout_s = int(model.get("ServiceTimeout") or DEFAULT_TIMEOUT_S)
            if not server.arrived.wait(timeout_s):
                return _failed(model, f"The function did not answer within {timeout_s} s.")
            response = server.response
            if response.get("Status") != "SUCCESS":
                return _failed(model, response.get("Reason") or "The function gave no reason.")
            data = response.get("Data") or {}
            result = {**_specified(model), **data, PHYSICAL_ID: response[PHYSICAL_ID]}
            return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=result)
        finally:
            server.shutdown()
            server.server_close()


def _specified(model: dict) -> dict:
    """The properties as CloudFormation hands them over: without what the answer added, and all scalars as strings."""
    return _texts({name: value for name, value in model.items() if name != PHYSICAL_ID})


def _texts(value):
    if isinstance(value, dict):
        return {name: _texts(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_texts(each) for each in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _failed(model: dict, reason: str) -> ProgressEvent[dict]:
    return ProgressEvent(status=OperationStatus.FAILED, resource_model=model, message=reason)


class CustomResourceProviderPlugin(CloudFormationResourceProviderPlugin):
    name = CustomResourceProvider.TYPE

    def load(self):
        self.factory = CustomResourceProvider
