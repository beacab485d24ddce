"""Updates as CloudFormation makes them: health checks change in place or are replaced, and a failed update is undone."""


def let_health_checks_be_updated() -> None:
    """LocalStack creates a health check and ignores every change of it."""
    from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent
    from localstack.services.route53.resource_providers.aws_route53_healthcheck import Route53HealthCheckProvider

    # "Update requires: Replacement" (AWS::Route53::HealthCheck HealthCheckConfig, CloudFormation Template Reference).
    immutable = ("Type", "RequestInterval", "MeasureLatency")
    changeable = (
        "FullyQualifiedDomainName",
        "Port",
        "ResourcePath",
        "SearchString",
        "FailureThreshold",
        "Inverted",
        "Disabled",
        "HealthThreshold",
        "ChildHealthChecks",
        "EnableSNI",
        "Regions",
    )

    def update(self, request):
        model, previous = request.desired_state, request.previous_state or {}
        config, before = model["HealthCheckConfig"], previous.get("HealthCheckConfig", {})
        # The old one stays behind: nothing here cleans up after a replacement that a provider decides on itself.
        if any(str(config.get(name)) != str(before.get(name)) for name in immutable):
            return self.create(request)
        changes = {name: config[name] for name in changeable if name in config}
        request.aws_client_factory.route53.update_health_check(HealthCheckId=previous["HealthCheckId"], **changes)
        return ProgressEvent(
            status=OperationStatus.SUCCESS,
            resource_model={**previous, **model, "HealthCheckId": previous["HealthCheckId"]},
        )

    Route53HealthCheckProvider.update = update


def undo_failed_updates() -> None:
    """
    LocalStack leaves a failed update half done, deletes what the update would have deleted, and calls the stack
    ROLLBACK_COMPLETE, which the CDK answers by deleting it.
    """
    from localstack.aws.api.cloudformation import ChangeAction, ChangeSetType, StackStatus
    from localstack.services.cloudformation.engine.v2.change_set_model_executor import ChangeSetModelExecutor
    from localstack.services.cloudformation.engine.v2.change_set_model_preproc import PreprocProperties

    process, execute = ChangeSetModelExecutor.process, ChangeSetModelExecutor.execute
    kept = ("template", "processed_template", "template_body", "resolved_parameters")

    def is_update(self) -> bool:
        return self._change_set.change_set_type == ChangeSetType.UPDATE

    def process_or_undo(self):
        before = dict(self._change_set.stack.resolved_resources or {})
        try:
            return process(self)
        except Exception:
            if is_update(self):
                self._deferred_actions.clear()
                undo(self, before)
            raise

    def undo(self, before: dict) -> None:
        for name, resource in reversed(list(self.resources.items())):
            now, then = resource.get("Properties"), before.get(name, {}).get("Properties")
            if now == then:
                continue
            self._execute_resource_action(
                action=ChangeAction.Modify if name in before else ChangeAction.Remove,
                logical_resource_id=name,
                resource_type=resource["Type"],
                before_properties=PreprocProperties(properties=now),
                after_properties=PreprocProperties(properties=then) if name in before else None,
            )

    def execute_or_undo(self):
        stack = self._change_set.stack
        before = dict(stack.resolved_resources or {})
        result = execute(self)
        if result.failure_message and is_update(self):
            result.resources = before
            # What runs next copies these from the change set to the stack.
            for name in kept:
                setattr(self._change_set, name, getattr(stack, name))
            stack.set_stack_status(StackStatus.UPDATE_ROLLBACK_COMPLETE)
        return result

    ChangeSetModelExecutor.process = process_or_undo
    ChangeSetModelExecutor.execute = execute_or_undo
