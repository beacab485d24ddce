import { isDeepStrictEqual } from 'node:util';
import validate from 'asl-validator';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { beforeEach, describe, expect, it } from 'vitest';
import { conductorSteps } from '../../lambda/core/conductor.ts';
import { finalErrors } from '../../lib/conductor/errors.ts';
import { input, templatesFor } from './synth.ts';

const stackNamed = (name: string, config = input): Template => {
  const template = templatesFor(config).get(name);
  if (template === undefined) throw new Error(`no stack ${name}`);
  return template;
};

interface StateJson {
  readonly Type: string;
  readonly TimeoutSeconds?: number;
  readonly Retry?: readonly { readonly ErrorEquals: readonly string[]; readonly MaxAttempts: number }[];
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[]; readonly Next: string }[];
  readonly Parameters?: { readonly Payload?: { readonly step?: string } };
  readonly ItemProcessor?: {
    readonly ProcessorConfig: unknown;
    readonly States: Readonly<Record<string, StateJson>>;
  };
}

const filledIn = (part: unknown): string =>
  isDeepStrictEqual(part, { Ref: 'AWS::Partition' })
    ? 'aws'
    : 'arn:aws:lambda:us-west-2:111111111111:function:shop-conductor';

/** The definition, with an ARN wherever CloudFormation fills one in. */
function definition(template: Template): {
  StartAt: string;
  QueryLanguage?: string;
  TimeoutSeconds?: number;
  States: Record<string, StateJson>;
} {
  const [machine] = Object.values(template.findResources('AWS::StepFunctions::StateMachine'));
  const joined = machine?.Properties.DefinitionString['Fn::Join'][1] as readonly unknown[];
  return JSON.parse(joined.map((part) => (typeof part === 'string' ? part : filledIn(part))).join(''));
}

function tasks(template: Template): readonly (readonly [string, StateJson])[] {
  const { States } = definition(template);
  const inner = Object.values(States).flatMap(({ ItemProcessor }) =>
    Object.entries(ItemProcessor?.States ?? {}),
  );
  return [...Object.entries(States), ...inner].filter(([, { Type }]) => Type === 'Task');
}

describe('the conductor', () => {
  let template: Template;
  beforeEach(() => {
    template = stackNamed('shop-standby');
  });

  it('is in the standby alone', () => {
    for (const [name, one] of templatesFor()) {
      one.resourceCountIs('AWS::StepFunctions::StateMachine', name === 'shop-standby' ? 1 : 0);
    }
  });

  it('is a standard JSONPath workflow, logged and traced', () => {
    template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      StateMachineName: 'shop-conductor',
      StateMachineType: 'STANDARD',
      LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: true },
      TracingConfiguration: { Enabled: true },
    });
    expect(definition(template).QueryLanguage ?? 'JSONPath').toBe('JSONPath');
  });

  it('is a definition that a validator accepts, and no longer with a state that leads nowhere', () => {
    const sound = definition(template);
    expect(validate(structuredClone(sound)).errors).toEqual([]);
    const lost = { ...sound.States, Notify: { ...sound.States.Notify, Next: 'Nowhere' } };
    expect(JSON.stringify(validate({ ...sound, States: structuredClone(lost) }).errors)).toMatch(/Nowhere/);
  });

  it('has a task for each step of the table, with the table’s time-out and retry', () => {
    const byStep = new Map(tasks(template).map(([, task]) => [task.Parameters?.Payload?.step, task]));
    for (const { step, timeoutMs, retry, waitsFor } of conductorSteps) {
      const task = byStep.get(step);
      expect(task?.TimeoutSeconds, step).toBe(timeoutMs / 1_000);
      expect(task?.Retry?.at(-1)?.MaxAttempts, step).toBe(retry.attempts);
      if (waitsFor === undefined) continue;
      const [, second] = task?.Retry ?? [];
      expect(second, step).toMatchObject({ ErrorEquals: [waitsFor.error], MaxAttempts: waitsFor.attempts });
    }
    expect([...byStep.keys()].toSorted()).toEqual(
      [...conductorSteps.map(({ step }) => step), 'fail', 'superseded', 'unfinished'].toSorted(),
    );
  });

  it('never repeats what no repetition mends, and catches everything somewhere', () => {
    const { States } = definition(template);
    for (const [name, task] of tasks(template)) {
      if (['Fail', 'Superseded', 'Unfinished'].includes(name)) continue;
      expect(task.Retry?.[0], name).toMatchObject({ ErrorEquals: [...finalErrors], MaxAttempts: 0 });
      if (name === 'Finish') continue;
      const caughtBy = name === 'Latch' ? States.LatchAll : task;
      expect(caughtBy?.Catch?.map(({ Next }) => Next)[0], name).toBe('Superseded');
      expect(caughtBy?.Catch?.at(-1)?.ErrorEquals, name).toEqual(['States.ALL']);
    }
  });

  it('goes on after a failed verification or message, and stops after a failed latch', () => {
    const { States } = definition(template);
    const goesTo = (name: string): string | undefined => States[name]?.Catch?.at(-1)?.Next;
    expect(['Dns', 'Arrivals', 'Consumers', 'Notify'].map(goesTo)).toEqual([
      ...['Arrivals', 'Consumers', 'Notify', 'Finish'],
    ]);
    expect(goesTo('Finish')).toBe('Unfinished');
    expect([goesTo('LatchAll'), goesTo('Confirm'), goesTo('Refresh')]).toEqual(['Fail', 'Fail', 'Fail']);
  });

  it('ends with the report of the run: as its output, or as the cause of its failure', () => {
    const { States } = definition(template);
    for (const name of ['Finish', 'Fail', 'Superseded', 'Unfinished']) {
      expect(States[name], name).toMatchObject({ OutputPath: '$.Payload.report' });
    }
    expect(States.Stopped).toMatchObject({ Error: 'RunStopped', CausePath: 'States.JsonToString($)' });
  });

  it('does not fail when a guard has refused a failback: nobody is to be woken for that', () => {
    const { States } = definition(template);
    expect(States.Fail).toMatchObject({ Next: 'WasItRefused' });
    expect(States.WasItRefused).toMatchObject({
      Choices: [{ Variable: '$.state', StringEquals: 'failback-refused', Next: 'Ended' }],
      Default: 'Stopped',
    });
  });

  it('latches in batches, each an execution of its own', () => {
    expect(definition(template).States.LatchAll?.ItemProcessor?.ProcessorConfig).toEqual({
      Mode: 'DISTRIBUTED',
      ExecutionType: 'STANDARD',
    });
  });

  it('leaves it to confirm to judge what a batch could not set, and ends at last whatever happens', () => {
    const { States, TimeoutSeconds } = definition(template);
    expect(States.LatchAll).toMatchObject({
      Next: 'Confirm',
      ItemProcessor: {
        States: {
          Latch: { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'LeftToConfirm' }] },
          LeftToConfirm: { Type: 'Succeed' },
        },
      },
    });
    expect(TimeoutSeconds).toBe(24 * 3_600);
  });

  it('may write switches, journal and lease, and no pause, mode or number of an act', () => {
    const policies = Object.values(template.findResources('AWS::IAM::Policy'));
    const writes = policies
      .filter(({ Properties }) => /Conductor/.test(JSON.stringify(Properties.Roles)))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
      .filter(({ Action }) => /dynamodb:(Put|Update|Delete|Batch|Transact)/.test(JSON.stringify(Action)));
    const keysOf = ({ Condition }: { readonly Condition?: Readonly<Record<string, object>> }): unknown =>
      Condition?.['ForAllValues:StringEquals'];
    expect(writes.map((one) => [one.Action, keysOf(one)])).toEqual([
      ['dynamodb:PutItem', { 'dynamodb:LeadingKeys': ['switch', 'journal', 'journal-mark'] }],
      ['dynamodb:UpdateItem', { 'dynamodb:LeadingKeys': ['lease'] }],
    ]);
  });

  it('keeps its state in a table that nobody deletes by mistake', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      TableName: 'shop-state',
      DeletionProtectionEnabled: true,
    });
  });

  it('may call nothing in the primary, and no control plane', () => {
    const policies = Object.values(template.findResources('AWS::IAM::Policy'));
    const mine = policies.filter(({ Properties }) => /Conductor/.test(JSON.stringify(Properties.Roles)));
    const text = JSON.stringify(mine);
    expect(mine.length).toBeGreaterThanOrEqual(3);
    expect(text).not.toMatch(/us-east-1/);
    expect(text).not.toMatch(/"(route53|iam|cloudformation|s3):/);
  });

  it('is started by the standby’s observer alone, which may write nothing of the state but epochs and what it would have moved', () => {
    const starters = [...templatesFor()].flatMap(([name, one]) =>
      JSON.stringify(one.findResources('AWS::IAM::Policy')).includes('"states:StartExecution"') ? [name] : [],
    );
    expect(starters).toEqual(['shop-standby']);
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: 'dynamodb:PutItem',
            Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['epoch', 'would'] } },
          }),
        ]),
      },
    });
  });

  it('is started on the votes of the witnesses too, which the standby’s observer may read and not write', () => {
    const policies = Object.entries(template.findResources('AWS::IAM::Policy'));
    const statements = policies.flatMap(([name, { Properties }]) =>
      name.startsWith('Observer') ? Properties.PolicyDocument.Statement : [],
    );
    for (const region of ['us-east-2', 'eu-west-1']) {
      const about = statements.filter((one) => JSON.stringify(one.Resource).includes(`:${region}:`));
      expect(
        about.map(({ Action }) => Action),
        region,
      ).toEqual(['dynamodb:GetItem']);
    }
  });

  it('subscribes the e-mail address that is configured, over a topic that refuses plain HTTP', () => {
    const told = stackNamed('shop-standby', { ...input, notify: { email: 'oncall@example.com' } });
    told.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'oncall@example.com',
    });
    template.resourceCountIs('AWS::SNS::Subscription', 0);
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]),
      },
    });
  });
});
