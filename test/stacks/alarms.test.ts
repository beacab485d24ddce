import { App } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { dimensionsOf, type MetricName, metricNames } from '../../lambda/core/metrics.ts';
import { alarmResourceName, alarmRows } from '../../lib/alarms/alarms-table.ts';
import { reservesIn } from '../../lib/config/concurrency.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { alarmEntries } from '../../lib/docs/runbook-entries.ts';
import { StandbyStack } from '../../lib/stacks/region-stacks.ts';
import { input, templatesFor } from './synth.ts';

interface MetricJson {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: readonly { readonly Name: string; readonly Value: unknown }[];
}
interface AlarmJson extends MetricJson {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly Threshold: number;
  readonly Period?: number;
  readonly EvaluationPeriods: number;
  readonly TreatMissingData: string;
  readonly Metrics?: readonly {
    readonly MetricStat?: { readonly Metric: MetricJson; readonly Period: number };
  }[];
  readonly AlarmActions: readonly unknown[];
  readonly OKActions: readonly unknown[];
}

const alarmsIn = (template: Template): readonly AlarmJson[] =>
  Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties);
const metricsIn = (alarm: AlarmJson): readonly MetricJson[] =>
  alarm.Metrics?.flatMap(({ MetricStat }) => MetricStat?.Metric ?? []) ?? [alarm];
const named = (alarms: readonly AlarmJson[], alarm: string): AlarmJson | undefined =>
  alarms.find(({ AlarmName }) => AlarmName === alarmResourceName('shop', alarm));

const reader = { kind: 'lambda', function: 'reader' } as const;
/** With weekly drills and a consumer, so that every alarm of the table is there. */
const drilled: ConfigInput = {
  ...input,
  cells: [...input.cells, { name: 'drill', stream: { name: 'drill', shards: 1 }, consumers: [reader] }],
  drill: { cell: 'drill' },
};
const stack = (name: string): Template => {
  const found = templatesFor(drilled).get(name);
  if (found === undefined) throw new Error(`no stack ${name}`);
  return found;
};
const everyAlarm = () =>
  [...templatesFor(drilled)].flatMap(([name, template]) =>
    alarmsIn(template).map((alarm) => [name, alarm] as const),
  );

/** The standby alone: what thousands of cells make of the routing is tested elsewhere. */
function standbyOf(change: Partial<ConfigInput>): Template {
  const config = parseConfig({ ...drilled, ...change }, 'test');
  const app = new App({ context: { ...cdkJson.context, 'aws:cdk:bundling-stacks': [] } });
  const region = config.regions.standby;
  return Template.fromStack(new StandbyStack(app, 'standby', { config, region, env: { region } }));
}

describe('the alarms', () => {
  it('are those of the table and of the runbook, each of them and no other', () => {
    const deployed = new Set(everyAlarm().map(([, { AlarmName }]) => AlarmName));
    const inRunbook = Object.keys(alarmEntries).map((alarm) => alarmResourceName('shop', alarm));
    const inTable = alarmRows.map(({ alarm }) => alarmResourceName('shop', alarm));
    expect([...deployed].toSorted()).toEqual(inRunbook.toSorted());
    expect(inTable.toSorted()).toEqual(inRunbook.toSorted());
  });

  it('are in the standby, but for what only a witness can say; and none is in the primary', () => {
    const where = Map.groupBy(everyAlarm(), ([, { AlarmName }]) => AlarmName);
    const outside = [...where].filter(([, found]) => !found.some(([name]) => name === 'shop-standby'));
    expect(outside.map(([name]) => name)).toEqual(['shop-standby-dark']);
    expect(alarmsIn(stack('shop-primary'))).toEqual([]);
    for (const witness of ['shop-witness-us-east-2', 'shop-witness-eu-west-1']) {
      const names = alarmsIn(stack(witness)).map(({ AlarmName }) => AlarmName);
      expect(names.toSorted()).toEqual(['shop-standby-dark', 'shop-vote-endpoint-failing']);
    }
  });

  it('look at metrics that a function publishes, with the dimensions it gives them, or at AWS’s own', () => {
    const known = new Set<string>(metricNames);
    for (const [, alarm] of everyAlarm()) {
      for (const { Namespace, MetricName: metric, Dimensions } of metricsIn(alarm)) {
        if (Namespace.startsWith('AWS/')) continue;
        expect(Namespace).toBe('Spillway/shop');
        expect(known.has(metric), metric).toBe(true);
        const [dimension] = Object.entries(dimensionsOf(metric as MetricName));
        expect(Dimensions).toEqual([{ Name: dimension?.[0], Value: dimension?.[1] }]);
      }
    }
  });

  it('fire and fall silent by the topic of their own region, which lets CloudWatch in', () => {
    for (const [name, template] of templatesFor(drilled)) {
      const topics = Object.keys(template.findResources('AWS::SNS::Topic'));
      for (const { AlarmActions, OKActions } of alarmsIn(template)) {
        expect(AlarmActions).toEqual([{ Ref: topics[0] }]);
        expect(OKActions).toEqual(AlarmActions);
      }
      if (topics.length === 0) continue;
      expect(topics, name).toHaveLength(1);
      template.hasResourceProperties('AWS::SNS::TopicPolicy', {
        PolicyDocument: {
          Statement: Match.arrayWith([
            Match.objectLike({
              Effect: 'Allow',
              Action: 'sns:Publish',
              Principal: { Service: 'cloudwatch.amazonaws.com' },
              Condition: Match.objectLike({ StringEquals: { 'aws:SourceAccount': Match.anyValue() } }),
            }),
          ]),
        },
      });
    }
  });

  it('take silence for an alarm where silence is the news', () => {
    const breaching = everyAlarm().filter(([, alarm]) => alarm.TreatMissingData === 'breaching');
    expect(breaching.map(([, { AlarmName }]) => AlarmName).toSorted()).toEqual(['shop-observer-silent']);
    expect(
      everyAlarm().every(([, { TreatMissingData }]) => /^(breaching|notBreaching)$/.test(TreatMissingData)),
    ).toBe(true);
  });

  it('count the observers and the votes of the config, and fire when it says', () => {
    const witnesses = ['us-east-2', 'eu-west-1', 'eu-central-1', 'ca-central-1'];
    const changed = alarmsIn(
      standbyOf({
        regions: { primary: 'us-east-1', standby: 'us-west-2', witnesses },
        policy: { votesToEvacuate: 4 },
        monitoring: { observerSilentMinutes: 7, pauseForgottenHours: 2, drillOverdueDays: 30 },
      }),
    );
    expect(named(changed, 'observer silent')).toMatchObject({ Threshold: 5, EvaluationPeriods: 7 });
    expect(named(changed, 'too few observers')).toMatchObject({ Threshold: 4 });
    expect(named(changed, 'pause forgotten')).toMatchObject({ Period: 3_600, EvaluationPeriods: 2 });
    expect(named(changed, 'drill overdue')).toMatchObject({ Threshold: 30 * 86_400 });
  });

  it('tell votes that are too few to move anything by the votes themselves, and by how many it takes', () => {
    const [expression, metric] = named(alarmsIn(stack('shop-standby')), 'votes disagreeing')?.Metrics ?? [];
    expect(expression).toMatchObject({ Expression: 'IF(m1 < 2, m1, 0)' });
    expect(metric?.MetricStat?.Metric.MetricName).toBe('EvacuateVotes');
  });

  it('tell a cell that is impaired from a stream that is suspected, by one metric', () => {
    const standby = alarmsIn(stack('shop-standby'));
    const cell = { MetricName: 'CellTrouble', TreatMissingData: 'notBreaching' };
    expect(named(standby, 'cell impaired')).toMatchObject({ ...cell, Threshold: 2, EvaluationPeriods: 1 });
    expect(named(standby, 'stream suspected')).toMatchObject({ ...cell, Threshold: 1, EvaluationPeriods: 5 });
    expect(named(standby, 'canary or access')).toMatchObject({ Threshold: 2, EvaluationPeriods: 2 });
  });

  it.each<[string, Partial<ConfigInput>, boolean]>([
    ['drills are weekly', {}, true],
    ['no drill is configured', { drill: undefined }, false],
    ['drills are by hand', { drill: { cell: 'drill', schedule: 'off' } }, false],
    [
      'drills are by hand, and the config says when one is overdue',
      { drill: { cell: 'drill', schedule: 'off' }, monitoring: { drillOverdueDays: 90 } },
      true,
    ],
  ])('tell of a drill that is overdue only where one is asked for: %s', (_what, change, asked) => {
    const template = standbyOf(change);
    expect(named(alarmsIn(template), 'drill overdue') !== undefined).toBe(asked);
    const [monitor] = Object.values(
      template.findResources('AWS::Lambda::Function', { Properties: { FunctionName: 'shop-monitor' } }),
    );
    const settings = JSON.parse(monitor?.Properties.Environment.Variables.SPILLWAY_MONITOR);
    expect(settings.expected).toEqual(asked ? ['survey', 'drill'] : ['survey']);
  });

  it('are what CloudWatch takes, at the longest times a config may ask for', () => {
    const longest = {
      observerSilentMinutes: 60,
      standbyUnfitMinutes: 60,
      votesDisagreeMinutes: 1_440,
      pauseForgottenHours: 168,
      drillOverdueDays: 366,
    };
    for (const alarm of alarmsIn(standbyOf({ monitoring: longest }))) {
      const period =
        alarm.Period ?? alarm.Metrics?.find(({ MetricStat }) => MetricStat)?.MetricStat?.Period ?? 0;
      // "The number of evaluation periods multiplied by the length of each": one day, or seven if a period is an hour.
      const limitSeconds = period >= 3_600 ? 604_800 : 86_400;
      expect(period * alarm.EvaluationPeriods, alarm.AlarmName).toBeLessThanOrEqual(limitSeconds);
      expect(alarm.AlarmDescription.length).toBeLessThanOrEqual(1_024);
      expect(alarm.Metrics?.length ?? 0).toBeLessThanOrEqual(10);
    }
  });
});

describe('the monitor', () => {
  it('runs each minute in the standby alone, and may only read, but for since when drills and surveys are asked for', () => {
    for (const [name, template] of templatesFor(drilled)) {
      const monitor = { FunctionName: 'shop-monitor' };
      template.resourcePropertiesCountIs('AWS::Lambda::Function', monitor, name === 'shop-standby' ? 1 : 0);
    }
    const policies = Object.values(stack('shop-standby').findResources('AWS::IAM::Policy'));
    const mine = policies.filter(({ Properties }) => /MonitorLook/.test(JSON.stringify(Properties.Roles)));
    const actions = mine.flatMap(({ Properties }) =>
      Properties.PolicyDocument.Statement.flatMap(({ Action }: { Action: string | string[] }) => Action),
    );
    expect([...new Set(actions)].toSorted()).toEqual([
      'dynamodb:GetItem',
      'dynamodb:Query',
      'dynamodb:UpdateItem',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ]);
    const writes = mine.flatMap(({ Properties }) =>
      Properties.PolicyDocument.Statement.filter(
        ({ Action }: { Action: string | string[] }) => Action === 'dynamodb:UpdateItem',
      ),
    );
    expect(writes.map(({ Condition }) => Condition)).toEqual([
      { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['recurring'] } },
    ]);
    expect(JSON.stringify(mine)).not.toMatch(/us-east-1/);
  });
});

describe('the switch endpoint', () => {
  const reserved = (groups: number, switchConcurrency?: number): unknown => {
    const cells = Array.from({ length: groups }, (_, n) => ({
      name: `c${n}`,
      stream: { name: `s${n}`, existing: true },
      consumers: [reader],
    }));
    const delivery = { switchConcurrency };
    const standby = standbyOf({ cells, drill: undefined, healthCheckQuota: 10_000, delivery });
    const found = standby.findResources('AWS::Lambda::Function', {
      Properties: { FunctionName: 'shop-switch' },
    });
    return Object.values(found)[0]?.Properties.ReservedConcurrentExecutions;
  };

  it('reserves what its checkers need: 1.6 requests a second for each group, of which Lambda lets 10 through for each', () => {
    expect(reserved(200, 20)).toBe(60);
    expect(reserved(1_000)).toBe(300);
  });

  it('reserves enough for a flood of a thousand requests a second, or what the config says', () => {
    expect(reserved(2)).toBe(100);
    expect(reserved(2, 20)).toBe(20);
    expect(reserved(1_000, 600)).toBe(600);
  });
});

it('every function reserves what the table says, in each region', () => {
  const config = parseConfig(drilled, 'test');
  for (const region of ['us-west-2', 'us-east-2', 'eu-west-1', 'us-east-1']) {
    const name =
      { 'us-west-2': 'shop-standby', 'us-east-1': 'shop-primary' }[region] ?? `shop-witness-${region}`;
    const functions = Object.values(stack(name).findResources('AWS::Lambda::Function'));
    const deployed = functions.map(({ Properties }) => ({
      functionName: Properties.FunctionName,
      units: Properties.ReservedConcurrentExecutions,
    }));
    const byName = (a: { functionName: string }, b: { functionName: string }) =>
      a.functionName.localeCompare(b.functionName);
    expect(deployed.toSorted(byName)).toEqual(reservesIn(region, config).toSorted(byName));
  }
});

describe('the dashboard', () => {
  const bodyOf = (template: Template): string => {
    const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
    const joined = dashboard?.Properties.DashboardBody['Fn::Join'][1] as readonly unknown[];
    return joined.map((part) => (typeof part === 'string' ? part : 'REF')).join('');
  };
  const widgetsOf = (template: Template): readonly unknown[] => JSON.parse(bodyOf(template)).widgets;

  it('is in the standby alone, unless the config leaves it out', () => {
    for (const [name, template] of templatesFor(drilled)) {
      template.resourceCountIs('AWS::CloudWatch::Dashboard', name === 'shop-standby' ? 1 : 0);
    }
    standbyOf({ monitoring: { dashboard: false } }).resourceCountIs('AWS::CloudWatch::Dashboard', 0);
  });

  it('has as many widgets for a thousand cells as for two, and so have the alarms', () => {
    const cells = Array.from({ length: 1_000 }, (_, n) => ({
      name: `c${n}`,
      group: n === 0 ? 'c0' : `g${n % 100}`,
      stream: { name: `s${n}`, existing: true },
      consumers: [reader],
    }));
    const many = standbyOf({ cells, drill: { cell: 'c0' } });
    expect(widgetsOf(many)).toHaveLength(widgetsOf(stack('shop-standby')).length);
    expect(bodyOf(many).length).toBeLessThan(20_000);
    expect(alarmsIn(many)).toHaveLength(alarmsIn(stack('shop-standby')).length);
  });

  it('draws every metric of the table that a function publishes all the time', () => {
    const body = bodyOf(stack('shop-standby'));
    const elsewhere: readonly string[] = [
      'StandbyShortfalls',
      'StandbyUnread',
      'StandbyDown',
      'RunsNeedingAct',
      'DrillSuccess',
    ];
    for (const name of metricNames) {
      expect(body.includes(`"${name}"`), name).toBe(!elsewhere.includes(name));
    }
  });
});
