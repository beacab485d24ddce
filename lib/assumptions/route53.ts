import type { Assumption } from './assumption.ts';

const healthy = 'How Amazon Route 53 determines whether a health check is healthy';
const values = 'Values that you specify when you create or update health checks';
const complex = 'How health checks work in complex Amazon Route 53 configurations';

/** Health checks and records of Route 53. */
export const route53Assumptions = [
  {
    id: 'check-starts-unhealthy',
    statement: 'A new inverted health check is unhealthy until Route 53 has enough data of it.',
    breaks:
      'The deployment guard waits for data before the quorum or a record follows a new check. If new checks started healthy, it would wait for nothing; nothing would break.',
    source: { doc: values },
    proof: {
      experiment: 'health-check',
      how: 'A new check and a record that follows it: the zone’s name servers answer with the standby first, and with the primary later.',
    },
  },
  {
    id: 'check-data-in-time',
    statement: 'A new check with an interval of 10 s and one failure to count has enough data within 45 s.',
    breaks:
      'The deployment guard lets a deployment go on after that time. If data came later, new votes would read as EVACUATE for a moment, and a deployment could move every cell.',
    source: 'inferred',
    proof: {
      experiment: 'health-check',
      how: 'The seconds from the answer to CreateHealthCheck until the name servers answer with the primary, and until every checker has reported.',
    },
  },
  {
    id: 'status-means-data',
    statement:
      'GetHealthCheckStatus gives an observation a status only once that checker has asked; before, there is no observation, or none with a status.',
    breaks:
      'The deployment guard takes a status for data. If a status came before data, the guard’s second look would be worth nothing, and only its waiting time would be left.',
    source: 'inferred',
    proof: {
      experiment: 'health-check',
      how: 'No status carries a time before the check was created, and the answer of DNS follows the statuses.',
    },
  },
  {
    id: 'status-before-inversion',
    statement:
      'GetHealthCheckStatus tells what each checker saw, before the inversion: a checker that does not find the text reports a failure.',
    breaks:
      'Nothing counts on it but `spillway prove` itself, which reads the other way round if it is false.',
    source: 'inferred',
    proof: {
      experiment: 'health-check',
      how: 'What the checkers report while the endpoint does not show the text.',
    },
  },
  {
    id: 'enough-data',
    statement: 'A new check has enough data once all but 18 % of its checkers have asked often enough.',
    breaks: 'The model of Route 53, and with it what drills and the simulator show of a first deployment.',
    source: 'inferred',
    proof: {
      notProven:
        'Route 53 does not tell when it has enough data, and GetHealthCheckStatus lags by an unknown time behind it. The time that counts is proven by check-data-in-time.',
    },
  },
  {
    id: 'eighteen-percent',
    statement:
      'More than 18 % of the checkers that find its text make an inverted check unhealthy; 82 % or more that do not find it make it healthy again.',
    breaks:
      'A vote for EVACUATE would reach DNS later than the recovery time says, or a few lost checkers could hide it.',
    source: { doc: `${healthy}; for inverted checks it follows from the same page` },
    proof: {
      experiment: 'health-check',
      how: 'The share of checkers that report the text when the name servers begin to answer with the standby. Undecided if all had reported it already.',
    },
  },
  {
    id: 'marker-moves-dns',
    statement:
      'An inverted string match turns unhealthy when its endpoint shows the text, and back when it no longer does.',
    breaks: 'No failover at all: votes and switches move DNS in this way and in no other.',
    source: { doc: 'Inverting health checks' },
    proof: {
      experiment: 'health-check',
      how: 'The check is made to look for a text that the endpoint shows, and then for one that it does not.',
    },
  },
  {
    id: 'checkers',
    statement: 'An endpoint is asked by about 16 checkers, in the 8 default regions.',
    breaks:
      'The cost and the concurrency that the endpoints reserve; with far more checkers they would be throttled.',
    source: 'inferred',
    proof: { experiment: 'health-check', how: 'The checkers and regions that report.' },
  },
  {
    id: 'few-checker-regions',
    statement:
      'A check that names fewer than six checker regions can be decided by the checkers of a single one.',
    breaks: 'Nothing, as long as checks keep the 8 default regions, which they do.',
    source: 'inferred',
    proof: { notProven: 'No check of Spillway names regions.' },
  },
  {
    id: 'host-change-keeps-data',
    statement:
      'A check whose host or path changes in place stays as it is until the new endpoint says otherwise.',
    breaks:
      'A witness that is destroyed and deployed again has another host. If its check began anew, that vote would read EVACUATE for some seconds; with two at once, every cell would move.',
    source: 'inferred',
    proof: {
      experiment: 'health-check',
      how: 'The check is pointed at another endpoint for a minute. One answer of the standby refutes it.',
    },
  },
  {
    id: 'error-is-failure',
    statement: 'A checker takes a status of 400 or more for a failure, whatever the body says.',
    breaks: 'A vote or a switch endpoint that fails would not read as HOLD.',
    source: { doc: healthy },
    proof: {
      experiment: 'health-check',
      how: 'The check asks for a path that answers 404; DNS keeps answering with the primary.',
    },
  },
  {
    id: 'throttled-is-failure',
    statement: 'A function URL that is throttled answers 429, and a checker reads that as a failure.',
    breaks:
      'A flood of the votes would not read as HOLD; what a flood of the switches does is told in the README.',
    source: {
      doc: 'Creating and managing Lambda function URLs; Route 53 names only statuses 2xx and 3xx as healthy',
    },
    proof: {
      notProven:
        'It would have to throttle an endpoint on which the failover depends. error-is-failure shows another status of the same kind.',
    },
  },
  {
    id: 'check-time-limits',
    statement:
      'A checker connects within 4 s, waits 2 s for the status (a TLS handshake falls into it) and 2 s for the body; something that comes exactly at a limit is in time.',
    breaks:
      'Endpoints answer far below these limits. The model of Route 53 is exact to the millisecond, AWS need not be.',
    source: { doc: `${healthy}; the edges are inferred` },
    proof: { notProven: 'It needs an endpoint that answers late on purpose, and prove creates no endpoint.' },
  },
  {
    id: 'check-reads-whole-body',
    statement:
      'A text counts once the whole body, or its first 5,120 bytes, has arrived; the text must lie in these.',
    breaks: 'Nothing: the endpoints answer with 32 bytes.',
    source: { doc: `${healthy}; that a part of a shorter body does not count is inferred` },
    proof: {
      notProven: 'It needs an endpoint that stops in the middle of its body, and prove creates no endpoint.',
    },
  },
  {
    id: 'sni-function-url',
    statement: 'A check with SNI reaches a Lambda function URL over HTTPS.',
    breaks: 'Without it no vote and no switch can be read, and nothing moves by itself.',
    source: { doc: values },
    proof: { experiment: 'health-check', how: 'Checkers find the text that the endpoint shows.' },
  },
  {
    id: 'propagation',
    statement:
      'The name servers of the zone answer by a new status within about 2 s, and within 5 s at the latest.',
    breaks:
      'The recovery time that a config is checked against counts 5 s, and drills on one machine use 2 s.',
    source: 'inferred',
    proof: {
      experiment: 'health-check',
      how: 'The seconds from the reports that decide the check to the first new answer, for each of two changes; exact to a second or two.',
    },
  },
  {
    id: 'txt-failover',
    statement:
      'TXT records may be failover records, and a weighted record that is alone follows its health check.',
    breaks: 'No signal for producers.',
    source: { doc: `Supported DNS record types; ${complex}; for a single weighted record it is inferred` },
    proof: { experiment: 'health-check', how: 'The three records are accepted and answer.' },
  },
  {
    id: 'alias-and',
    statement:
      'An alias with a health check of its own that evaluates its target answers only while both are healthy.',
    breaks:
      'Quorum and switch would not both have to agree to stay: a latch, or a vote, would have no effect.',
    source: { doc: complex },
    proof: {
      experiment: 'health-check',
      how: 'One half: an alias with a healthy check of its own, whose target becomes unhealthy, gives way to the standby. The other half needs the quorum to fail.',
    },
  },
  {
    id: 'secondary-answers',
    statement: 'A secondary record without a health check answers while the primary is unhealthy.',
    breaks: 'There would be no answer during an outage.',
    source: { doc: complex },
    proof: { experiment: 'health-check', how: 'The answer while the primary is unhealthy.' },
  },
  {
    id: 'alias-ttl',
    statement: 'An alias answers with the TTL of its target.',
    breaks: 'Resolvers would keep an old answer for longer than the recovery time counts.',
    source: { doc: 'Choosing between alias and non-alias records' },
    proof: { experiment: 'health-check', how: 'The TTL in the answers of the zone’s name servers.' },
  },
  {
    id: 'resolver-ttl',
    statement: 'A resolver gives the answer of the zone’s name servers, no longer than its TTL.',
    breaks: 'Producers behind such a resolver follow a failover later.',
    source: 'inferred',
    proof: {
      experiment: 'resolver',
      how: 'The resolvers of this machine alone; run it where producers run.',
    },
  },
  {
    id: 'switch-delivery',
    statement:
      'A switch that is set reaches DNS within 50 s, with checks every 10 s: three looks, up to one interval before the first, and 10 s.',
    breaks: 'An operator’s failover, and a cell that moves alone, would take longer than documented.',
    source: 'inferred',
    proof: { experiment: 'move', how: 'The seconds from the set switch to the first answer of the standby.' },
  },
  {
    id: 'quorum-threshold',
    statement: 'A calculated check with the threshold N-K+1 is unhealthy once K of its N children are.',
    breaks: 'The number of votes that move traffic would be another than configured.',
    source: { doc: values },
    proof: { notProven: 'K votes for EVACUATE are the failover itself, of every cell.' },
  },
  {
    id: 'data-plane-alone',
    statement: 'Checkers, health and DNS answers go on while Route 53’s control plane in us-east-1 is down.',
    breaks: 'The failover of an outage that takes us-east-1’s control planes with it.',
    source: {
      doc: 'Control and data plane concepts, and Resilience in Amazon Route 53',
    },
    proof: {
      notProven: 'Only such an outage can show it. Drills record that no call to a control plane is made.',
    },
  },
] as const satisfies readonly Assumption[];
