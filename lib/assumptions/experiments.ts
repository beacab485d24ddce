/**
 * The experiments of `spillway prove`, in the order in which they run: those that only look come first. Each
 * has an upper bound of its time and cost.
 */
export const experiments = {
  deployment: {
    what: 'compares health checks, function URLs and the guard’s record of the last deployment',
    mostSeconds: 30,
    mostUsd: 0.01,
    touches: false,
    local: {
      runs: true,
      limit:
        'LocalStack resolves references by a part that Spillway adds to it, and does not evaluate policies',
    },
  },
  endpoints: {
    what: 'asks each vote endpoint, and the switch endpoint for one group, 10 times one after the other and 8 times at once',
    mostSeconds: 90,
    mostUsd: 0.01,
    touches: false,
    local: {
      runs: true,
      limit:
        'LocalStack runs functions as processes of this machine: their times and permissions are not Lambda’s',
    },
  },
  canary: {
    what: 'puts 20 records into the canary stream of each region and reads each back as an observer does',
    mostSeconds: 150,
    mostUsd: 0.01,
    touches: false,
    local: {
      runs: true,
      limit:
        'LocalStack’s Kinesis keeps its records in the memory of one process, where a read sees every earlier put',
    },
  },
  cbor: {
    what: 'puts one record in CBOR into the canary stream of each region, without falling back to JSON',
    mostSeconds: 30,
    mostUsd: 0.01,
    touches: false,
    local: {
      runs: true,
      limit: 'LocalStack’s Kinesis has a decoder of its own; Kinesis may take other CBOR than it does',
    },
  },
  'start-key': {
    what: 'scans one item of the table of beacons, or of the state table, from a key that no item has',
    mostSeconds: 15,
    mostUsd: 0.01,
    touches: false,
    local: {
      runs: true,
      limit: 'LocalStack’s DynamoDB is moto here, which walks a list in memory',
    },
  },
  metrics: {
    what: 'reads how old the newest heartbeat of each observer is in CloudWatch of both regions',
    mostSeconds: 30,
    mostUsd: 0.01,
    touches: false,
    local: {
      runs: true,
      limit: 'LocalStack’s CloudWatch shows a point at once',
    },
  },
  resolver: {
    what: 'asks the DNS servers of this machine for the signal of a cell, twice, further apart than its TTL',
    mostSeconds: 60,
    mostUsd: 0.01,
    touches: false,
    local: {
      runs: false,
      limit:
        'LocalStack has no DNS: the local world’s only server is Spillway’s model of the zone, with no resolver before it',
    },
  },
  votes: {
    what: 'reads each observer’s vote every two seconds for over two minutes, across two seams of its runs',
    mostSeconds: 160,
    mostUsd: 0.01,
    touches: false,
    local: {
      runs: false,
      limit: 'LocalStack fires Events rules from a loop of its own, and starts functions as processes',
    },
  },
  'health-check': {
    what: 'creates one health check and three records of its own, changes what the check asks, watches the zone’s name servers, and deletes all of them',
    mostSeconds: 720,
    mostUsd: 3.51,
    touches: true,
    local: {
      runs: false,
      limit:
        'LocalStack only stores health checks: it has no checkers, its GetHealthCheckStatus always says Success, and the checkers and the DNS of a local world are Spillway’s model, which is made of these very statements',
    },
  },
  move: {
    what: 'moves the drill cell to the standby and back, as `spillway drill --aws` does, with its messages to the topic',
    mostSeconds: 840,
    mostUsd: 0.02,
    touches: true,
    local: {
      runs: false,
      limit:
        'LocalStack has no checkers and no DNS: in a local world, both are Spillway’s model; `spillway drill` rehearses the move there',
    },
  },
} as const satisfies Readonly<Record<string, Experiment>>;

interface Experiment {
  readonly what: string;
  /** Longest time, in seconds. */
  readonly mostSeconds: number;
  /** Most that it costs, in US dollars, if AWS charges a whole month of a check. */
  readonly mostUsd: number;
  /** Whether it creates or moves anything, so that the guards are asked once more before it. */
  readonly touches: boolean;
  readonly local: {
    /** Whether it runs in a local world, too. What it shows there confirms nothing about AWS. */
    readonly runs: boolean;
    /** What LocalStack cannot tell. Begins with "LocalStack". */
    readonly limit: string;
  };
}

export type ExperimentName = keyof typeof experiments;
export const experimentNames = Object.keys(experiments) as readonly ExperimentName[];
