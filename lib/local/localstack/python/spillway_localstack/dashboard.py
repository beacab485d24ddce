"""AWS::CloudWatch::Dashboard, which LocalStack's CloudFormation cannot create: the app must deploy here as it is."""

from localstack.services.cloudformation.resource_provider import (
    CloudFormationResourceProviderPlugin,
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceRequest,
)


class DashboardProvider(ResourceProvider[dict]):
    """Stores the dashboard by LocalStack's own PutDashboard, which keeps its body for GetDashboard and draws nothing."""

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
        return self._put(request, model)

    def update(self, request: ResourceRequest[dict]) -> ProgressEvent[dict]:
        return self._put(request, request.previous_state | request.desired_state)

    def delete(self, request: ResourceRequest[dict]) -> ProgressEvent[dict]:
        model = request.desired_state
        request.aws_client_factory.cloudwatch.delete_dashboards(DashboardNames=[model["DashboardName"]])
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)

    def _put(self, request: ResourceRequest[dict], model: dict) -> ProgressEvent[dict]:
        request.aws_client_factory.cloudwatch.put_dashboard(
            DashboardName=model["DashboardName"], DashboardBody=model["DashboardBody"]
        )
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


class DashboardProviderPlugin(CloudFormationResourceProviderPlugin):
    name = DashboardProvider.TYPE

    def load(self):
        self.factory = DashboardProvider
