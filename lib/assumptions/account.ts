import type { Assumption } from './assumption.ts';

/** Lambda, DynamoDB, IAM, CloudFormation and Step Functions: what Spillway runs on. */
export const accountAssumptions = [
  {
    id: 'function-url-in-time',
    statement:
      'A function URL answers a checker in time: connection within 4 s, status within 2 s, body within 2 s.',
    breaks: 'Votes that arrive late read as HOLD, and no failover happens by itself.',
    source: 'inferred',
    proof: {
      experiment: 'endpoints',
      how: 'Ten answers of each endpoint, judged by the rules of a checker; from this machine, not from a checker’s.',
    },
  },
  {
    id: 'cold-start-in-time',
    statement: 'A cold start of a vote or switch function answers within the 2 s of a checker.',
    breaks:
      'After a deployment, or when Lambda replaces an instance, a checker would read HOLD for a moment.',
    source: 'inferred',
    proof: {
      experiment: 'endpoints',
      how: 'Eight requests at once, more than checkers keep warm. Lambda does not say which of them met a new instance.',
    },
  },
  {
    id: 'function-url-public',
    statement:
      'A function URL without authentication answers everybody who has lambda:InvokeFunctionUrl and lambda:InvokeFunction by the function’s policy.',
    breaks:
      'Endpoints would answer 403: HOLD for ever, and no failover by itself. Organizations that forbid public URLs do exactly that.',
    source: { doc: 'Control access to Lambda function URLs' },
    proof: { experiment: 'endpoints', how: 'Every endpoint answers 200 without a signature.' },
  },
  {
    id: 'requests-per-concurrency',
    statement: 'Lambda lets through 10 requests a second for each unit of reserved concurrency.',
    breaks:
      'The endpoints reserve by this figure; if it were lower, checkers would be throttled when there are many cells.',
    source: { doc: 'Creating and managing Lambda function URLs, Throttling requests through a function URL' },
    proof: { notProven: 'It would have to flood an endpoint on which the failover depends.' },
  },
  {
    id: 'throttled-alike',
    statement:
      'Above the limit of a function URL, Lambda refuses the same share of the requests of each who asks.',
    breaks:
      'A flood that the switches do not reserve for would keep more of the checkers away, or fewer, than the documents say.',
    source: 'inferred',
    proof: { notProven: 'It would have to flood an endpoint on which the failover depends.' },
  },
  {
    id: 'observers-seamless',
    statement:
      'Events starts each observer every minute, soon enough that its vote, which lives 30 s, never expires between two runs.',
    breaks: 'A vote for EVACUATE would drop to HOLD at each seam, and traffic would swing back and forth.',
    source: 'inferred',
    proof: {
      experiment: 'votes',
      how: 'Each observer’s decisions over two seams, read every two seconds: none follows after the one before it has expired.',
    },
  },
  {
    id: 'scan-from-absent-key',
    statement: 'A Scan may begin behind a key that no item has.',
    breaks:
      'Observers skip the rest of a source that floods the table of beacons in this way. If it failed, a flood could hide the other sources, and the beacons would count as unknown.',
    source: 'inferred',
    proof: {
      experiment: 'start-key',
      how: 'Such a Scan, with the longest sort key that there may be, is answered.',
    },
  },
  {
    id: 'leading-keys-query',
    statement: 'The condition dynamodb:LeadingKeys allows a Query of a partition that it names.',
    breaks: 'The deployment guard could not read, and every deployment of the routing would be refused.',
    source: { doc: 'Using IAM policy conditions for fine-grained access control' },
    proof: {
      experiment: 'deployment',
      how: 'The guard, whose role has that condition, has stored what it read and allowed, and its log has no refusal.',
    },
  },
  {
    id: 'leading-keys-userid',
    statement:
      'The policy variable aws:userid in dynamodb:LeadingKeys is the UserId that GetCallerIdentity gives to the same credentials.',
    breaks: 'Producers could write no beacon; with a looser rule, one could write under the name of another.',
    source: { doc: 'IAM and AWS STS condition context keys' },
    proof: {
      notProven:
        'It needs the role of a producer. `spillway doctor` tells how many sources report, and each of them has shown it.',
    },
  },
  {
    id: 'stack-output-across-regions',
    statement: 'Fn::GetStackOutput gives the output of a stack in another region, as the CDK writes it.',
    breaks: 'Health checks would ask a wrong host, or the deployment would fail.',
    source: { doc: 'Fn::GetStackOutput' },
    proof: {
      experiment: 'deployment',
      how: 'The host that each vote’s check asks is the host of the function URL in its region.',
    },
  },
  {
    id: 'guard-is-asked',
    statement:
      'CloudFormation creates a new check first, then asks the guard, and changes the quorum and the records only after its consent.',
    breaks: 'A deployment could move traffic.',
    source: { doc: 'DependsOn attribute; Create custom provisioning logic with custom resources' },
    proof: {
      experiment: 'deployment',
      how: 'The guard has stored the check of every vote and of the drill cell’s switch, as they are deployed now.',
    },
  },
  {
    id: 'service-timeout',
    statement:
      'CloudFormation ends a custom resource that does not answer after its ServiceTimeout, and rolls back.',
    breaks:
      'A deployment whose guard dies would hang for an hour instead of 11 minutes. Nothing moves meanwhile.',
    source: { doc: 'AWS::CloudFormation::CustomResource, ServiceTimeout' },
    proof: { notProven: 'A deployment would have to fail.' },
  },
  {
    id: 'check-updates-in-place',
    statement:
      'A change of a check’s host, path, text or failure count updates it in place; its type and interval replace it.',
    breaks:
      'More deployments would create new checks than the guard’s documentation says; it waits for them all the same.',
    source: { doc: 'AWS::Route53::HealthCheck, HealthCheckConfig' },
    proof: { notProven: 'host-change-keeps-data shows the first half; the other needs a deployment.' },
  },
  {
    id: 'execution-once',
    statement:
      'StartExecution with the name of an earlier execution and another input is refused, for 90 days.',
    breaks:
      'An evacuation that two observers start could run twice. The lease and the epoch of each step guard it as well.',
    source: { doc: 'StartExecution' },
    proof: {
      notProven: 'The conductor would have to run for it; a drill of the account shows one run only.',
    },
  },
] as const satisfies readonly Assumption[];
