import { scenarioJsonSchema } from '../scenario/json-schema.ts';
import { type SchemaNode, schemaReference } from './schema-reference.ts';

/** `docs/scenarios.md`: every key of a scenario file, from its schema. */
export function scenariosDocument(): string {
  return `# Scenario files

Generated from the schema in \`lib/scenario/schema.ts\`: \`npm run docs\`. A scenario is a YAML file. It says what fails,
when, where, how much of it, who sees it, and what Spillway is expected to do. The same file drives \`spillway drill\`, in real time, and
\`spillway simulate\`, in virtual time. The scenarios that come with Spillway are in \`scenarios/\`, with their JSON Schema for editors.

\`\`\`yaml
name: 2020-kinesis
title: Kinesis front end exceeds its thread limit
source: aws.amazon.com/message/11201
start: 2020-11-25T13:15:00Z       # t = 0
duration: 18h
faults:
  - at: 0s
    for: 4h52m
    where: { region: primary, service: kinesis, operations: [PutRecord, PutRecords, GetRecords] }
    effect: { kind: error, status: 500, code: InternalFailure }
    rate: 0.9                      # or { from: 0.8, to: 0 } for a ramp over the fault's life
    seenFrom: [us-east-2]
expect: { verdict: failover, diagnosis: KinesisWriteImpaired, within: 60s }
\`\`\`

Faults that overlap all apply. \`timeout\` answers too late, \`blackhole\` never; \`throttle\` answers with the service's own exception;
\`partial\` answers PutRecords with status 200 and refuses a fraction of the records. \`dns\` means that no name of the region resolves; in
a drill, where clients reach the services by address, \`dns\` cuts the connection. A rate may be written as 0.3 or 30%.

\`within\` counts from the first fault, or from \`after\`, if the expectation names such a moment: then nothing may move before it. So a
scenario can begin with a phase that has to be borne and go on to one that has not.

\`where.streams\` names cells, or \`canary\`: so a single stream can fail while the rest of the region works. \`expect.cells\` names the
cells that move; the others must stay. A region is a role, or one that the config has; others are refused, because nothing would
happen there. A scenario may also have fleets of producers that report what they see, sources among them that lie, and settings of
the policy that take the place of the config's:

\`\`\`yaml
producers: { instances: 40, beacons: true, probe: onSuspicion, cells: { orders: { instances: 8 } } }
lies: [{ at: 5m, for: 40m, cells: [orders], share: 30%, say: failing }]
policy: { beacons: move }
\`\`\`

An instance of a fleet runs in the primary, puts to the stream of its cell, and reports for itself. A fault with
\`seenFrom: [producers]\` is seen by producers alone, wherever they run. A drill has three producers of its own in the place of
fleets; they report what they see where the scenario has \`producers\` with beacons, or the config has \`beacons\`. Where
a scenario has \`lies\`, the drill writes the beacons of whole fleets as well (up to 100 sources for a cell), honest and lying ones, beside its
producers'.

${schemaReference(scenarioJsonSchema() as SchemaNode)}
`;
}
