import type { ConfigInput } from '../config/schema.ts';

/**
 * What a change of the config does to traffic. Every row is a drill (`npm run drill:upgrades`), and the table
 * in docs/deployments.md is made of the rows.
 */
export interface DeploymentChange {
  /** Name of the row, for `--only`. */
  readonly name: string;
  /** For people, after "A deployment that …". */
  readonly what: string;
  readonly after: ConfigInput;
  /** What plain `cdk deploy --all` does in health, and while every cell is held in the standby. */
  readonly steady: Outcome;
  readonly evacuated: Outcome;
  /** What else is worth knowing, in full sentences. */
  readonly note: string;
  /** The row after which this one is deployed, and which it takes back. @default - it is deployed over the base */
  readonly takesBack?: string;
  /** Witnesses whose stacks are destroyed before the deployment. */
  readonly destroyed?: readonly string[];
  /**
   * Where `spillway deploy` refuses, before anything is changed, what plain deployment does or what stops
   * halfway. Elsewhere both do the same.
   */
  readonly byWrapper?: { readonly steady?: 'refused'; readonly evacuated?: 'refused' };
}

/**
 * `holds`: no answer changes. `asked`: answers change as the config asks, and no name changes its region.
 * `refused`: the guard refuses, before anything that traffic follows is changed. `stopped`: CloudFormation
 * itself stops the deployment there.
 */
export const outcomes = {
  holds: 'no answer changes',
  asked: 'answers change as asked, and no name changes its region',
  refused: 'refused by the guard, and no answer changes',
  stopped: 'stopped by CloudFormation, and no answer changes',
} as const;
export type Outcome = keyof typeof outcomes;

const standby = 'us-west-2';
const primary = 'us-east-1';
const witnesses = ['us-east-2', 'eu-west-1'] as const;
const regions = { primary, standby, witnesses: [...witnesses] };
const orders = {
  name: 'orders',
  stream: { name: 'orders', existing: true },
  services: [{ name: 'api.orders', type: 'A' as const, primary: '192.0.2.10', standby: '198.51.100.10' }],
};
// A stream that Spillway has created stays when its cell is renamed or removed, and CloudFormation does not take
// it back: so the cells that rows change have streams of their own.
const clicks = { name: 'clicks', stream: { name: 'clicks', existing: true } };
const payments = { name: 'payments', stream: { name: 'payments', shards: 1 } };
const invoices = { name: 'invoices', stream: { name: 'invoices', shards: 1 } };

/** The deployment that every row begins with, unless it takes another row back. */
export const deploymentBefore = {
  name: 'spillway',
  regions,
  zone: { id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' },
  policy: { mode: 'auto' },
  cells: [orders, clicks, payments],
} as const satisfies ConfigInput;

const base: ConfigInput = deploymentBefore;
const newVotes =
  'New checks have data before the quorum counts them; until then the deployment waits, for about a minute.';
const newSwitch = 'The check of the new switch has data before the cell follows it.';

export const deploymentChanges: readonly DeploymentChange[] = [
  {
    name: 'witness-added',
    what: 'adds a witness',
    after: { ...base, regions: { ...regions, witnesses: [...witnesses, 'ca-central-1'] } },
    steady: 'holds',
    evacuated: 'holds',
    note: newVotes,
  },
  {
    name: 'witness-removed',
    what: 'removes a witness',
    takesBack: 'witness-added',
    after: base,
    steady: 'holds',
    evacuated: 'holds',
    note: 'The quorum forgets the vote before its check goes. The stack of the former witness stays until you destroy it.',
  },
  {
    name: 'witness-redeployed',
    what: 'brings a witness back whose stack was destroyed',
    after: base,
    destroyed: ['eu-west-1'],
    steady: 'holds',
    evacuated: 'holds',
    note: 'The new endpoint has another URL, which plain `cdk deploy --all` does not tell the check: it goes on asking the former URL, its vote stays HOLD, and the alarm `endpoint unfit` says so. `spillway deploy` brings the check to the new URL.',
  },
  {
    name: 'witness-replaced',
    what: 'replaces one witness by another',
    after: { ...base, regions: { ...regions, witnesses: ['us-east-2', 'ca-central-1'] } },
    steady: 'holds',
    evacuated: 'holds',
    note: `${newVotes} The stack of the former witness stays until you destroy it.`,
  },
  {
    name: 'two-witnesses-replaced',
    what: 'replaces two witnesses at once',
    after: { ...base, regions: { ...regions, witnesses: ['ca-central-1', 'eu-central-1'] } },
    steady: 'holds',
    evacuated: 'holds',
    note: `${newVotes} Without that wait, two votes without data would be two of three to leave.`,
  },
  {
    name: 'two-to-four-witnesses',
    what: 'goes from two witnesses to four, with two votes that evacuate',
    after: {
      ...base,
      regions: { ...regions, witnesses: [...witnesses, 'ca-central-1', 'eu-central-1'] },
      policy: { ...base.policy, votesToEvacuate: 2 },
    },
    steady: 'holds',
    evacuated: 'holds',
    note: newVotes,
  },
  {
    name: 'four-to-two-witnesses',
    what: 'goes from four witnesses to two',
    takesBack: 'two-to-four-witnesses',
    after: base,
    steady: 'holds',
    evacuated: 'holds',
    note: 'The stacks of the former witnesses stay until you destroy them.',
  },
  {
    name: 'votes-to-evacuate',
    what: 'changes the number of votes that evacuate, with a witness more',
    after: {
      ...base,
      regions: { ...regions, witnesses: [...witnesses, 'ca-central-1'] },
      policy: { ...base.policy, votesToEvacuate: 2 },
    },
    steady: 'holds',
    evacuated: 'holds',
    note: 'Two of four instead of three. Of three observers two is the only number that a config may have. Refused while a vote says EVACUATE.',
  },
  {
    name: 'regroup',
    what: 'puts a cell into the group of another',
    after: { ...base, cells: [orders, { ...clicks, group: 'orders' }, payments] },
    steady: 'holds',
    evacuated: 'holds',
    note: 'Refused when one of the two switches holds traffic in the standby and the other does not. Where cells are in several stacks, name the group that is left in `keepGroups`, and take it out in the deployment after.',
  },
  {
    name: 'regroup-new',
    what: 'puts a cell into a group of its own',
    after: { ...base, cells: [orders, { ...clicks, group: 'web' }, payments] },
    steady: 'holds',
    evacuated: 'refused',
    note: `${newSwitch} A new switch is in the primary, so a cell that is held in the standby must not follow it.`,
  },
  {
    name: 'cell-added',
    what: 'adds a cell',
    after: { ...base, cells: [orders, clicks, payments, invoices] },
    steady: 'holds',
    evacuated: 'holds',
    note: 'The new cell begins in the primary, while evacuated too: fail it over by `spillway failover --cells`.',
  },
  {
    name: 'cell-removed',
    what: 'removes a cell',
    takesBack: 'cell-added',
    after: base,
    steady: 'asked',
    evacuated: 'asked',
    note: 'Its names go, and its producers keep their last region. Its streams stay until you delete them. Refused by `spillway deploy` while the cell is held in the standby.',
  },
  {
    name: 'cell-renamed',
    what: 'renames a cell',
    after: { ...base, cells: [orders, { ...clicks, name: 'visits' }, payments] },
    steady: 'asked',
    evacuated: 'asked',
    note: 'To DNS this is a cell that goes and a cell that comes, which begins in the primary. Producers of the old name keep their last region.',
    byWrapper: { evacuated: 'refused' },
  },
  {
    name: 'cell-renamed-with-stream',
    what: 'renames a cell whose stream Spillway has created',
    after: { ...base, cells: [orders, clicks, { ...payments, name: 'bills' }] },
    steady: 'stopped',
    evacuated: 'stopped',
    note: 'The stream exists already, and stays whatever becomes of the cell: say `stream: { name, existing: true }` and rename in one deployment.',
    byWrapper: { steady: 'refused', evacuated: 'refused' },
  },

  {
    name: 'interval',
    what: 'changes the interval of the health checks',
    after: { ...base, delivery: { healthCheckIntervalSeconds: 30, rtoMs: 120_000 } },
    steady: 'holds',
    evacuated: 'holds',
    note: 'CloudFormation replaces every check. The new ones have data before anything refers to them; that takes over two minutes. Refused where cells are in several stacks.',
  },
  {
    name: 'ttl',
    what: 'changes the TTL',
    after: { ...base, delivery: { dnsTtlSeconds: 10, rtoMs: 90_000 } },
    steady: 'holds',
    evacuated: 'holds',
    note: 'Records change in place.',
  },
  {
    name: 'service-added',
    what: 'adds a service to a cell',
    after: {
      ...base,
      cells: [
        orders,
        {
          ...clicks,
          services: [{ name: 'api.clicks', type: 'A', primary: '192.0.2.20', standby: '198.51.100.20' }],
        },
        payments,
      ],
    },
    steady: 'holds',
    evacuated: 'holds',
    note: 'The new name follows the switch of its cell from its first answer on.',
  },
  {
    name: 'service-removed',
    what: 'removes a service from a cell',
    takesBack: 'service-added',
    after: base,
    steady: 'asked',
    evacuated: 'asked',
    note: 'Its name goes: nobody who still asks for it is answered.',
  },
  {
    name: 'service-changed',
    what: 'gives a service other addresses',
    after: {
      ...base,
      cells: [
        {
          ...orders,
          services: [{ name: 'api.orders', type: 'A', primary: '192.0.2.11', standby: '198.51.100.11' }],
        },
        clicks,
        payments,
      ],
    },
    steady: 'asked',
    evacuated: 'asked',
    note: 'The answer is the new address of the same region.',
  },
  {
    name: 'stream-renamed',
    what: 'gives a cell another stream',
    after: { ...base, cells: [orders, { ...clicks, stream: { name: 'visits', shards: 1 } }, payments] },
    steady: 'asked',
    evacuated: 'asked',
    note: 'Producers go to the new stream of the same region. What the old stream still holds is for its consumers to read first.',
  },
  {
    name: 'new-version',
    what: 'brings a new version of every function',
    after: { ...base, policy: { ...base.policy, recoveryMs: 1_200_000 } },
    steady: 'holds',
    evacuated: 'holds',
    note: 'Plain `cdk deploy --all` changes every observer at about the same time, so a bad release is as many bad votes. `spillway deploy` changes one observer at a time, and watches it before the next.',
  },
  {
    name: 'region-record',
    what: 'keeps `region.ZONE` with `zone.keepRegionRecord`',
    after: { ...base, zone: { ...base.zone, keepRegionRecord: true } },
    steady: 'holds',
    evacuated: 'holds',
    note: 'The record of versions before 0.2 stays beside `region.NAME.ZONE`, and both follow the quorum.',
  },
  {
    name: 'region-record-dropped',
    what: 'gives `region.ZONE` up',
    takesBack: 'region-record',
    after: base,
    steady: 'asked',
    evacuated: 'asked',
    note: 'Whoever still asks for `region.ZONE` is not answered any more; `region.NAME.ZONE` stays as it is.',
  },
  {
    name: 'standby-replaced',
    what: 'puts the standby into another region',
    after: { ...base, regions: { ...regions, standby: 'eu-central-1' } },
    steady: 'stopped',
    evacuated: 'stopped',
    note: 'The names exist already, in the stacks of the former standby, which holds the switches and the state. To exchange the standby, deploy a second deployment under another name beside the first, and move the services one by one.',
    byWrapper: { steady: 'refused', evacuated: 'refused' },
  },
  {
    name: 'roles-swapped',
    what: 'makes the standby the primary, and the primary the standby',
    after: { ...base, regions: { primary: standby, standby: primary, witnesses: [...witnesses] } },
    steady: 'stopped',
    evacuated: 'stopped',
    note: 'The names of the streams and tables of the one role exist in the other region already. To swap for good, deploy a second deployment under another name beside the first, and move the services one by one.',
    byWrapper: { steady: 'refused', evacuated: 'refused' },
  },
  {
    name: 'cell-stacks',
    what: 'changes `cellStacks`',
    after: { ...base, cellStacks: 2 },
    steady: 'stopped',
    evacuated: 'stopped',
    note: 'The records exist already, in the stacks with the former names. Set the number before the first deployment.',
    byWrapper: { steady: 'refused', evacuated: 'refused' },
  },
];
