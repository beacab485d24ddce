/**
 * Physical names. They are the same in every region and depend on the configured name alone, so that no stack
 * needs another stack's output to find a stream or a table (only function URLs are looked up across stacks).
 */
export const canaryStreamName = (name: string): string => `${name}-canary`;
/** Table in each observer's region: the observer's evidence and its vote. Key: `pk` (string). */
export const voteTableName = (name: string): string => `${name}-vote`;
/** Table in the standby alone: control item and switches. Keys: `pk`, `sk` (strings). */
export const stateTableName = (name: string): string => `${name}-state`;
/** Table in the standby alone: what producers report. Keys: `pk`, `sk` (strings). */
export const beaconTableName = (name: string): string => `${name}-beacons`;
/** Index of the beacons that report trouble. */
export const TROUBLE_INDEX = 'trouble';
/** Managed policy that lets a producer write beacons under its own name. */
export const beaconWriterPolicyName = (name: string): string => `${name}-beacon-writer`;
export const observerFunctionName = (name: string): string => `${name}-observer`;
export const voteFunctionName = (name: string): string => `${name}-vote`;
export const switchFunctionName = (name: string): string => `${name}-switch`;
/** In the standby alone. */
export const conductorFunctionName = (name: string): string => `${name}-conductor`;
export const conductorMachineName = (name: string): string => `${name}-conductor`;
export const conductorArn = (name: string, region: string, account: string): string =>
  `arn:aws:states:${region}:${account}:stateMachine:${conductorMachineName(name)}`;
/** In the standby, and only where a cell is named for drills. */
export const drillFunctionName = (name: string): string => `${name}-drill`;
export const drillRuleName = (name: string): string => `${name}-drill`;
export const monitorFunctionName = (name: string): string => `${name}-monitor`;
/** In the standby alone. */
export const surveyFunctionName = (name: string): string => `${name}-survey`;
/** In the standby alone: CloudFormation asks it before a stack of the routing changes. */
export const guardFunctionName = (name: string): string => `${name}-guard`;
export const guardFunctionArn = (name: string, region: string, account: string): string =>
  `arn:aws:lambda:${region}:${account}:function:${guardFunctionName(name)}`;
export const notificationTopicName = (name: string): string => `${name}-notifications`;

/** The stack of a witness, in its region. */
export const witnessStackName = (name: string, region: string): string => `${name}-witness-${region}`;

/** Names in the zone. */
export const signalRecordName = (cell: string, zone: string): string => `signal.${cell}.${zone}`;
/** Of one deployment: several may share a zone. */
export const regionRecordName = (name: string, zone: string): string => `region.${name}.${zone}`;
/** As it was before version 0.2, one for the whole zone. */
export const formerRegionRecordName = (zone: string): string => `region.${zone}`;

export const votePath = '/vote';
/** One path per switch group. */
export const switchPath = (group: string): string => `/cells/${group}`;
/** What Route 53 searches for in the body: both mean "leave the primary". */
export const evacuateMarker = 'vote=EVACUATE';
export const standbyMarker = 'switch=STANDBY';
/** CloudWatch namespace of the observers' own heartbeat metric. */
export const metricNamespace = (name: string): string => `Spillway/${name}`;

/** Name of the temporary records of `spillway prove`, without a dot at the end. */
export const proveRecordName = (name: string, zone: string): string => `prove-${name}.${zone}`;
export const proveTargetName = (name: string, zone: string): string =>
  `primary.${proveRecordName(name, zone)}`;
