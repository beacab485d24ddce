"""
What CloudFormation needs for an unmodified `cdk deploy`, the first and every later one: resource status without a
network, Fn::GetStackOutput, and updates that change or undo what they should.
"""

from localstack.runtime import hooks

from spillway_localstack.records import delete_records_one_by_one
from spillway_localstack.updates import let_health_checks_be_updated, undo_failed_updates

GET_STACK_OUTPUT = "Fn::GetStackOutput"


@hooks.on_infra_start(name="spillway_cloudformation")
def patch_cloudformation() -> None:
    answer_resource_status_offline()
    add_get_stack_output()
    let_alarms_be_updated()
    let_health_checks_be_updated()
    undo_failed_updates()
    delete_records_one_by_one()


def answer_resource_status_offline() -> None:
    """Without its remote catalogue LocalStack calls every resource unsupported; the installed providers know better."""
    from localstack.services.cloudformation.resource_provider import plugin_manager
    from localstack.utils.catalog.catalog import AwsCatalogRuntimePlugin
    from localstack.utils.catalog.common import (
        CloudFormationResourcesSupportAtRuntime,
        CloudFormationResourcesSupportInLatest,
    )

    available = set(plugin_manager.list_names())

    def get_cloudformation_resource_status(self, resource_name, service_name, is_pro_resource=False):
        if resource_name in available or resource_name.startswith("Custom::"):
            return CloudFormationResourcesSupportAtRuntime.AVAILABLE
        return CloudFormationResourcesSupportInLatest.NOT_SUPPORTED

    AwsCatalogRuntimePlugin.get_cloudformation_resource_status = get_cloudformation_resource_status


def add_get_stack_output() -> None:
    """`{"Fn::GetStackOutput": {StackName, OutputName, Region}}`: the CDK's weak cross-region reference."""
    from localstack.services.cloudformation.engine.v2 import change_set_model
    from localstack.services.cloudformation.engine.v2.change_set_model_preproc import ChangeSetModelPreproc
    from localstack.services.cloudformation.engine.v2.change_set_model_visitor import ChangeSetModelVisitor
    from localstack.services.cloudformation.engine.validations import ValidationError
    from localstack.services.cloudformation.stores import get_cloudformation_store
    from localstack.services.cloudformation.v2.provider import find_stack_v2

    def visit(self, node_intrinsic_function):
        self.visit_children(node_intrinsic_function)

    def resolve(self, node_intrinsic_function):
        delta = self.visit(node_intrinsic_function.arguments)

        def read_output(arguments):
            region = arguments.get("Region") or self._change_set.region_name
            name, output = arguments["StackName"], arguments["OutputName"]
            stack = find_stack_v2(get_cloudformation_store(self._change_set.account_id, region), name)
            values = {item["OutputKey"]: item["OutputValue"] for item in stack.resolved_outputs} if stack else {}
            if output not in values:
                # The value is resolved when a stack is created or updated, and the output may be deleted later
                # ("Fn::GetStackOutput", CloudFormation Template Reference): what the former template refers to may be gone.
                if arguments != delta.after:
                    return f"{name}.{output}"
                raise ValidationError(f"Stack {name} in {region} has no output {output}")
            return values[output]

        return self._cached_apply(
            scope=node_intrinsic_function.scope,
            arguments_delta=delta,
            resolver=read_output,
        )

    change_set_model.INTRINSIC_FUNCTIONS.add(GET_STACK_OUTPUT)
    ChangeSetModelVisitor.visit_node_intrinsic_function_fn_get_stack_output = visit
    ChangeSetModelPreproc.visit_node_intrinsic_function_fn_get_stack_output = resolve


def let_alarms_be_updated() -> None:
    """LocalStack creates an alarm and refuses to change it; PutMetricAlarm does either."""
    from localstack.services.cloudwatch.resource_providers.aws_cloudwatch_alarm import CloudWatchAlarmProvider

    CloudWatchAlarmProvider.update = CloudWatchAlarmProvider.create
