"""AWS::CloudWatch::Dashboard, which LocalStack's CloudFormation cannot create: the app must deploy here as it is."""

from localstack.services.cloudformation.resource_provider import (
    CloudFormationResourceProviderPlugin,
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceRequest,
)


class DashboardProvider(ResourceProvider[dict]):
    """Remembers the dashboard's name and draws nothing."""

    TYPE = "AWS::CloudWatch::Dashboard"
    SCHEMA = {
        "typeName": TYPE,
        "properties": {"DashboardName": {"type": "string"}, "DashboardBody": {"type": "string"}},
        "required": ["DashboardBody"],
        "primaryIdentifier": ["/properties/DashboardName"],
        "createOnlyProperties": ["/properties/DashboardName"],
    }

    def create(self, request: ResourceRequest[dict]) -> ProgressEvent[dict]:
        model = request.desired_state
        if not model.get("DashboardName"):
            model["DashboardName"] = f"{request.stack_name}-{request.logical_resource_id}"
        return done(model)

    def update(self, request: ResourceRequest[dict]) -> ProgressEvent[dict]:
        return done(request.previous_state | request.desired_state)

    def delete(self, request: ResourceRequest[dict]) -> ProgressEvent[dict]:
        return done(request.desired_state)


def done(model: dict) -> ProgressEvent[dict]:
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


class DashboardProviderPlugin(CloudFormationResourceProviderPlugin):
    name = DashboardProvider.TYPE

    def load(self):
        self.factory = DashboardProvider
