// Which request is which operation, for services whose requests do not name their operation (smithy.io: "HTTP binding
// traits"). From the service models of botocore 1.44.8 (Apache-2.0). A label of one segment is written `*`, one that may
// span several `**`.

export interface RestRoute {
  readonly method: string;
  readonly segments: readonly string[];
  /** A query parameter, `name=value`, that tells the operation from another one at the same path. */
  readonly query: string | undefined;
  readonly operation: string;
}

const routes = (text: string): readonly RestRoute[] =>
  text
    .trim()
    .split('\n')
    .map((line) => {
      const [method = '', uri = '', operation = ''] = line.trim().split(' ');
      const [path = '', query] = uri.split('?');
      return { method, segments: path.split('/').slice(1), query, operation };
    })
    // The more a route says, the sooner it is tried.
    .toSorted((a, b) => wildness(a) - wildness(b));

const wildness = ({ segments, query }: RestRoute): number =>
  segments.filter((segment) => segment.startsWith('*')).length - (query === undefined ? 0 : 100);

export const restRoutes: Readonly<Record<string, readonly RestRoute[]>> = {
  lambda: routes(`
    POST /2018-10-31/layers/*/versions/*/policy AddLayerVersionPermission
    POST /2015-03-31/functions/*/policy AddPermission
    POST /2025-12-01/durable-executions/*/checkpoint CheckpointDurableExecution
    POST /2015-03-31/functions/*/aliases CreateAlias
    POST /2025-11-30/capacity-providers CreateCapacityProvider
    POST /2020-04-22/code-signing-configs CreateCodeSigningConfig
    POST /2015-03-31/event-source-mappings CreateEventSourceMapping
    POST /2015-03-31/functions CreateFunction
    POST /2021-10-31/functions/*/url CreateFunctionUrlConfig
    DELETE /2015-03-31/functions/*/aliases/* DeleteAlias
    DELETE /2025-11-30/capacity-providers/* DeleteCapacityProvider
    DELETE /2020-04-22/code-signing-configs/* DeleteCodeSigningConfig
    DELETE /2025-12-01/durable-executions/* DeleteDurableExecution
    DELETE /2015-03-31/event-source-mappings/* DeleteEventSourceMapping
    DELETE /2015-03-31/functions/* DeleteFunction
    DELETE /2020-06-30/functions/*/code-signing-config DeleteFunctionCodeSigningConfig
    DELETE /2017-10-31/functions/*/concurrency DeleteFunctionConcurrency
    DELETE /2019-09-25/functions/*/event-invoke-config DeleteFunctionEventInvokeConfig
    DELETE /2021-10-31/functions/*/url DeleteFunctionUrlConfig
    DELETE /2018-10-31/layers/*/versions/* DeleteLayerVersion
    DELETE /2019-09-30/functions/*/provisioned-concurrency DeleteProvisionedConcurrencyConfig
    DELETE /2026-07-09/resource-policy/* DeleteResourcePolicy
    GET /2016-08-19/account-settings GetAccountSettings
    GET /2015-03-31/functions/*/aliases/* GetAlias
    GET /2025-11-30/capacity-providers/* GetCapacityProvider
    GET /2020-04-22/code-signing-configs/* GetCodeSigningConfig
    GET /2025-12-01/durable-executions/* GetDurableExecution
    GET /2025-12-01/durable-executions/*/history GetDurableExecutionHistory
    GET /2025-12-01/durable-executions/*/state GetDurableExecutionState
    GET /2015-03-31/event-source-mappings/* GetEventSourceMapping
    GET /2015-03-31/functions/* GetFunction
    GET /2020-06-30/functions/*/code-signing-config GetFunctionCodeSigningConfig
    GET /2019-09-30/functions/*/concurrency GetFunctionConcurrency
    GET /2015-03-31/functions/*/configuration GetFunctionConfiguration
    GET /2019-09-25/functions/*/event-invoke-config GetFunctionEventInvokeConfig
    GET /2024-08-31/functions/*/recursion-config GetFunctionRecursionConfig
    GET /2025-11-30/functions/*/function-scaling-config GetFunctionScalingConfig
    GET /2021-10-31/functions/*/url GetFunctionUrlConfig
    GET /2018-10-31/layers/*/versions/* GetLayerVersion
    GET /2018-10-31/layers?find=LayerVersion GetLayerVersionByArn
    GET /2018-10-31/layers/*/versions/*/policy GetLayerVersionPolicy
    GET /2015-03-31/functions/*/policy GetPolicy
    GET /2019-09-30/functions/*/provisioned-concurrency GetProvisionedConcurrencyConfig
    GET /2026-07-09/resource-policy/* GetResourcePolicy
    GET /2021-07-20/functions/*/runtime-management-config GetRuntimeManagementConfig
    POST /2015-03-31/functions/*/invocations Invoke
    POST /2014-11-13/functions/*/invoke-async InvokeAsync
    POST /2021-11-15/functions/*/response-streaming-invocations InvokeWithResponseStream
    GET /2015-03-31/functions/*/aliases ListAliases
    GET /2025-11-30/capacity-providers ListCapacityProviders
    GET /2020-04-22/code-signing-configs ListCodeSigningConfigs
    GET /2025-12-01/functions/*/durable-executions ListDurableExecutionsByFunction
    GET /2015-03-31/event-source-mappings ListEventSourceMappings
    GET /2019-09-25/functions/*/event-invoke-config/list ListFunctionEventInvokeConfigs
    GET /2021-10-31/functions/*/urls ListFunctionUrlConfigs
    GET /2025-11-30/capacity-providers/*/function-versions ListFunctionVersionsByCapacityProvider
    GET /2015-03-31/functions ListFunctions
    GET /2020-04-22/code-signing-configs/*/functions ListFunctionsByCodeSigningConfig
    GET /2018-10-31/layers/*/versions ListLayerVersions
    GET /2018-10-31/layers ListLayers
    GET /2019-09-30/functions/*/provisioned-concurrency?List=ALL ListProvisionedConcurrencyConfigs
    GET /2017-03-31/tags/* ListTags
    GET /2015-03-31/functions/*/versions ListVersionsByFunction
    POST /2025-12-01/durable-executions/*/pause PauseDurableExecution
    POST /2018-10-31/layers/*/versions PublishLayerVersion
    POST /2015-03-31/functions/*/versions PublishVersion
    PUT /2020-06-30/functions/*/code-signing-config PutFunctionCodeSigningConfig
    PUT /2017-10-31/functions/*/concurrency PutFunctionConcurrency
    PUT /2019-09-25/functions/*/event-invoke-config PutFunctionEventInvokeConfig
    PUT /2024-08-31/functions/*/recursion-config PutFunctionRecursionConfig
    PUT /2025-11-30/functions/*/function-scaling-config PutFunctionScalingConfig
    PUT /2019-09-30/functions/*/provisioned-concurrency PutProvisionedConcurrencyConfig
    PUT /2026-07-09/resource-policy/* PutResourcePolicy
    PUT /2021-07-20/functions/*/runtime-management-config PutRuntimeManagementConfig
    DELETE /2018-10-31/layers/*/versions/*/policy/* RemoveLayerVersionPermission
    DELETE /2015-03-31/functions/*/policy/* RemovePermission
    POST /2025-12-01/durable-executions/*/resume ResumeDurableExecution
    POST /2025-12-01/durable-execution-callbacks/*/fail SendDurableExecutionCallbackFailure
    POST /2025-12-01/durable-execution-callbacks/*/heartbeat SendDurableExecutionCallbackHeartbeat
    POST /2025-12-01/durable-execution-callbacks/*/succeed SendDurableExecutionCallbackSuccess
    POST /2025-12-01/durable-executions/*/stop StopDurableExecution
    POST /2017-03-31/tags/* TagResource
    DELETE /2017-03-31/tags/* UntagResource
    PUT /2015-03-31/functions/*/aliases/* UpdateAlias
    PUT /2025-11-30/capacity-providers/* UpdateCapacityProvider
    PUT /2020-04-22/code-signing-configs/* UpdateCodeSigningConfig
    PUT /2015-03-31/event-source-mappings/* UpdateEventSourceMapping
    PUT /2015-03-31/functions/*/code UpdateFunctionCode
    PUT /2015-03-31/functions/*/configuration UpdateFunctionConfiguration
    POST /2019-09-25/functions/*/event-invoke-config UpdateFunctionEventInvokeConfig
    PUT /2021-10-31/functions/*/url UpdateFunctionUrlConfig
  `),
  route53: routes(`
    POST /2013-04-01/keysigningkey/*/*/activate ActivateKeySigningKey
    POST /2013-04-01/hostedzone/*/associatevpc AssociateVPCWithHostedZone
    POST /2013-04-01/cidrcollection/* ChangeCidrCollection
    POST /2013-04-01/hostedzone/*/rrset/ ChangeResourceRecordSets
    POST /2013-04-01/tags/*/* ChangeTagsForResource
    POST /2013-04-01/cidrcollection CreateCidrCollection
    POST /2013-04-01/healthcheck CreateHealthCheck
    POST /2013-04-01/healthchecksource CreateHealthCheckSource
    POST /2013-04-01/hostedzone CreateHostedZone
    POST /2013-04-01/keysigningkey CreateKeySigningKey
    POST /2013-04-01/queryloggingconfig CreateQueryLoggingConfig
    POST /2013-04-01/hostedzone/*/rrsetprotection CreateResourceRecordSetProtections
    POST /2013-04-01/delegationset CreateReusableDelegationSet
    POST /2013-04-01/trafficpolicy CreateTrafficPolicy
    POST /2013-04-01/trafficpolicyinstance CreateTrafficPolicyInstance
    POST /2013-04-01/trafficpolicy/* CreateTrafficPolicyVersion
    POST /2013-04-01/hostedzone/*/authorizevpcassociation CreateVPCAssociationAuthorization
    POST /2013-04-01/keysigningkey/*/*/deactivate DeactivateKeySigningKey
    DELETE /2013-04-01/cidrcollection/* DeleteCidrCollection
    DELETE /2013-04-01/healthcheck/* DeleteHealthCheck
    DELETE /2013-04-01/healthchecksource/* DeleteHealthCheckSource
    DELETE /2013-04-01/hostedzone/* DeleteHostedZone
    DELETE /2013-04-01/keysigningkey/*/* DeleteKeySigningKey
    DELETE /2013-04-01/queryloggingconfig/* DeleteQueryLoggingConfig
    POST /2013-04-01/hostedzone/*/rrsetprotection/delete DeleteResourceRecordSetProtections
    DELETE /2013-04-01/delegationset/* DeleteReusableDelegationSet
    DELETE /2013-04-01/trafficpolicy/*/* DeleteTrafficPolicy
    DELETE /2013-04-01/trafficpolicyinstance/* DeleteTrafficPolicyInstance
    POST /2013-04-01/hostedzone/*/deauthorizevpcassociation DeleteVPCAssociationAuthorization
    POST /2013-04-01/hostedzone/*/disable-dnssec DisableHostedZoneDNSSEC
    POST /2013-04-01/hostedzone/*/disassociatevpc DisassociateVPCFromHostedZone
    POST /2013-04-01/hostedzone/*/enable-dnssec EnableHostedZoneDNSSEC
    GET /2013-04-01/accountlimit/* GetAccountLimit
    GET /2013-04-01/change/* GetChange
    GET /2013-04-01/checkeripranges GetCheckerIpRanges
    GET /2013-04-01/hostedzone/*/dnssec GetDNSSEC
    GET /2013-04-01/geolocation GetGeoLocation
    GET /2013-04-01/healthcheck/* GetHealthCheck
    GET /2013-04-01/healthcheckcount GetHealthCheckCount
    GET /2013-04-01/healthcheck/*/lastfailurereason GetHealthCheckLastFailureReason
    GET /2013-04-01/healthchecksource/* GetHealthCheckSource
    GET /2013-04-01/healthcheck/*/status GetHealthCheckStatus
    GET /2013-04-01/hostedzone/* GetHostedZone
    GET /2013-04-01/hostedzone/*/changebatches/* GetHostedZoneChangeBatch
    GET /2013-04-01/hostedzonecount GetHostedZoneCount
    GET /2013-04-01/hostedzonelimit/*/* GetHostedZoneLimit
    GET /2013-04-01/queryloggingconfig/* GetQueryLoggingConfig
    GET /2013-04-01/delegationset/* GetReusableDelegationSet
    GET /2013-04-01/reusabledelegationsetlimit/*/* GetReusableDelegationSetLimit
    GET /2013-04-01/trafficpolicy/*/* GetTrafficPolicy
    GET /2013-04-01/trafficpolicyinstance/* GetTrafficPolicyInstance
    GET /2013-04-01/trafficpolicyinstancecount GetTrafficPolicyInstanceCount
    GET /2013-04-01/cidrcollection/*/cidrblocks ListCidrBlocks
    GET /2013-04-01/cidrcollection ListCidrCollections
    GET /2013-04-01/cidrcollection/* ListCidrLocations
    GET /2013-04-01/geolocations ListGeoLocations
    GET /2013-04-01/healthchecksource ListHealthCheckSources
    GET /2013-04-01/healthcheck ListHealthChecks
    GET /2013-04-01/healthchecks/source/* ListHealthChecksBySource
    GET /2013-04-01/hostedzone/*/changebatches ListHostedZoneChangeBatches
    GET /2013-04-01/hostedzone ListHostedZones
    GET /2013-04-01/hostedzonesbyname ListHostedZonesByName
    GET /2013-04-01/hostedzonesbyvpc ListHostedZonesByVPC
    GET /2013-04-01/queryloggingconfig ListQueryLoggingConfigs
    GET /2013-04-01/hostedzone/*/rrsetchanges ListResourceRecordSetChanges
    GET /2013-04-01/hostedzone/*/rrsetprotection ListResourceRecordSetProtections
    GET /2013-04-01/hostedzone/*/rrset ListResourceRecordSets
    GET /2013-04-01/delegationset ListReusableDelegationSets
    GET /2013-04-01/tags/*/* ListTagsForResource
    POST /2013-04-01/tags/* ListTagsForResources
    GET /2013-04-01/trafficpolicies ListTrafficPolicies
    GET /2013-04-01/trafficpolicyinstances ListTrafficPolicyInstances
    GET /2013-04-01/trafficpolicyinstances/hostedzone ListTrafficPolicyInstancesByHostedZone
    GET /2013-04-01/trafficpolicyinstances/trafficpolicy ListTrafficPolicyInstancesByPolicy
    GET /2013-04-01/trafficpolicies/*/versions ListTrafficPolicyVersions
    GET /2013-04-01/hostedzone/*/authorizevpcassociation ListVPCAssociationAuthorizations
    GET /2013-04-01/testdnsanswer TestDNSAnswer
    POST /2013-04-01/healthcheck/* UpdateHealthCheck
    POST /2013-04-01/hostedzone/* UpdateHostedZoneComment
    POST /2013-04-01/hostedzone/*/features UpdateHostedZoneFeatures
    POST /2013-04-01/hostedzone/*/tier UpdateHostedZoneTier
    POST /2013-04-01/trafficpolicy/*/* UpdateTrafficPolicyComment
    POST /2013-04-01/trafficpolicyinstance/* UpdateTrafficPolicyInstance
  `),
};

/** The operation of a request, or undefined for one that no route describes. */
export function restOperation(service: string, method: string, url: string): string | undefined {
  const [path = '/', search = ''] = url.split('?');
  const segments = path.split('/').slice(1);
  const given = search.split('&');
  return restRoutes[service]?.find(
    (route) =>
      route.method === method &&
      (route.query === undefined || given.includes(route.query)) &&
      covers(route.segments, segments),
  )?.operation;
}

function covers(route: readonly string[], segments: readonly string[]): boolean {
  const rest = route.indexOf('**');
  if (rest === -1) {
    return route.length === segments.length && route.every((one, n) => one === '*' || one === segments[n]);
  }
  return (
    segments.length >= route.length &&
    covers(route.slice(0, rest), segments.slice(0, rest)) &&
    covers(route.slice(rest + 1), segments.slice(segments.length - (route.length - rest - 1)))
  );
}
