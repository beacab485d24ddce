/**
 * The contents of each folder of the product, in one sentence. `docs/architecture.md` adds the callers, from
 * the imports.
 */
export const folders: Readonly<Record<string, string>> = {
  bin: 'The two entries of a clone: the CDK app, and the command line.',
  'lambda/core':
    'The rules of detection and decision as pure functions and tables: evidence, diagnosis, guards, votes, the lifecycle, the conductor’s steps.',
  'lambda/observer':
    'The function that probes both regions every few seconds, decides and stores its vote; it runs in the standby and in each witness.',
  'lambda/vote': 'The public endpoint that gives an observer’s vote to Route 53’s checkers.',
  'lambda/switch':
    'The public endpoint that gives the position of each group’s switch to Route 53’s checkers.',
  'lambda/conductor':
    'The steps of the Step Functions workflow that latches switches, verifies DNS and arrivals, journals, notifies and fails back.',
  'lambda/guard':
    'The function that CloudFormation asks before the quorum or a record follows another health check.',
  'lambda/monitor':
    'The function that reads all observers, tables and DNS each minute and publishes the metrics that the alarms watch.',
  'lambda/survey':
    'The function that reads each hour how the streams of both regions are scaled, and their load.',
  'lambda/drill': 'The function that runs the weekly drill of one cell in the account.',
  'lib/aggregate':
    'The KPL’s aggregate, many records in one of Kinesis: an encoder that knows sizes, and a strict decoder.',
  'lib/alarms': 'The table of alarms: what each watches, when it fires, what it costs, what to do.',
  'lib/assumptions': 'The statements about AWS on which Spillway stands, and the experiments that show them.',
  'lib/aws': 'SDK clients with their time-outs, the log of every call, and the shards of a stream.',
  'lib/cdk': 'What authors of CDK apps import: the construct with all stacks.',
  'lib/cli': 'One file per verb of the command line: options, questions, progress, exit status.',
  'lib/cli/screens': 'What the verbs print for people.',
  'lib/conductor': 'What the conductor takes and returns, and how it asks DNS where the cells are.',
  'lib/config': 'The config file: its schema, defaults, relations between settings, loading.',
  'lib/constructs':
    'The CDK constructs: functions, endpoints, health checks, the routing tree, the conductor, alarms.',
  'lib/consumer':
    'What applications import to read: aggregates and events of Lambda taken apart, deduplication, checks of order, checkpoints.',
  'lib/consumers':
    'What is known of those who read the streams: lease tables of the KCL, ages in CloudWatch.',
  'lib/credentials': 'The credentials of the caller: found, judged, and told apart from an outage.',
  'lib/deployments':
    'What a deployment does to traffic: the table of changes, and the rules of spillway deploy as pure functions: plan, refusals, soak, answers.',
  'lib/docs': 'The documents in docs/ that are generated from tables.',
  'lib/drain':
    'Copies the records that are stranded in one region’s streams to the streams of the other region.',
  'lib/endpoint':
    'An HTTP handler of a function URL that answers one short text, and how to ask one as a checker does.',
  'lib/envelope': 'The envelope around a record: an id to deduplicate on and a number within its key.',
  'lib/files': 'Reading small files that people have written.',
  'lib/live-drill': 'The drill in an account: moves one cell there and back and measures it.',
  'lib/local': 'Parts of the local world: process groups, directories of runs.',
  'lib/local/clients': 'Clients of Kinesis that are not ours, installed and built: those of Maven Central.',
  'lib/local/consumers':
    'The consumers of a drill on this machine: a CDK app of their own, the function, and what it has processed.',
  'lib/local/deploy': 'The real CDK CLI, pointed at LocalStack.',
  'lib/local/drill': 'The drill on this machine: world, producers, faults, measurement, verdict.',
  'lib/local/localstack': 'LocalStack without Docker: installed, patched, started, stopped.',
  'lib/local/proxy': 'The proxy between every client and LocalStack that plays the faults of a scenario.',
  'lib/local/running': 'The register of drills that run on this machine, and their turns.',
  'lib/local/upgrade':
    'The drill of a deployment: a second config while producers run, and what DNS answered meanwhile.',
  'lib/metrics': 'Metrics as lines of a log in the embedded metric format.',
  'lib/observers':
    'Reading the observers: their reports, what the quorum says in DNS, and the rights of their probes.',
  'lib/operate':
    'What operators read and do in an account: status, why, failover, failback, controls, cost, audit.',
  'lib/operate/deploy':
    'spillway deploy: the assembly and the CDK, what is deployed, and the stages carried out one by one.',
  'lib/operate/doctor': 'The checks of spillway doctor, a file each.',
  'lib/permissions':
    'Tables of rights: what each function, producers, consumers and operators call, and the policies made of that.',
  'lib/producer':
    'What applications import to write: it follows the signal, keeps the order of keys, retries, and keeps records on disk while no region takes them.',
  'lib/producer/aggregation':
    'Records of a producer on their way into aggregates: by key or by the shards of the region, opened again where they miss.',
  'lib/producer/beacons':
    'The reports of a producer: what it put lately, counted by request and written in the background.',
  'lib/producer/spool': 'The log on disk that keeps records while no region takes them.',
  'lib/producer/telemetry':
    'What OpenTelemetry is told of a producer, where the application has it: spans and metrics of requests.',
  'lib/producer/wire': 'The producer’s own client of PutRecords: encodings, signature, connections.',
  'lib/prove': 'The experiments of `spillway prove`, each with what it sees and how that is judged.',
  'lib/prove/health-check':
    'The experiment with a health check and records of its own: ports, phases, judges, and what is left after a crash.',
  'lib/resolver':
    'DNS questions by long-lived processes: servers read again, time-outs, TTLs, and hosts without getaddrinfo.',
  'lib/route53':
    'A model of Route 53’s data plane from its documented rules, with a DNS server and HTTP checkers.',
  'lib/scenario': 'Scenario files: schema, catalogue, what a fault does to a request, what is expected.',
  'lib/settings':
    'The settings that the stacks give to the functions: environment variables and the file of cells.',
  'lib/shell': 'What a shell needs from a command: exit codes, and quoted words.',
  'lib/sidecar':
    'The local process that speaks Kinesis’ API and writes through the producer: listeners, wire formats, answers.',
  'lib/simulator': 'The world in virtual time: seeded runs, years, tuning, invariants.',
  'lib/stacks': 'The CDK stacks, one per role of a region, and where each cell is placed.',
  'lib/state': 'The standby’s table: control, switches, lease, epochs, journal.',
  'lib/stranded':
    'What was written to an old stream and not read there: where consumers stand, counts by reading, findings.',
  'lib/survey': 'Reading the scale and the peaks of streams, within limits of rate.',
};
