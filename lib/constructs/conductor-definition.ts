import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import {
  Choice,
  Condition,
  DistributedMap,
  Errors,
  Fail,
  type IChainable,
  JsonPath,
  type RetryProps,
  StateMachineType,
  Succeed,
  TaskInput,
  Timeout,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import {
  type ConductorStep,
  failbackRefused,
  type StepName,
  stepNamed,
} from '../../lambda/core/conductor.ts';
import { finalErrors } from '../conductor/errors.ts';

/** The most batches of the latch at the same time; fewer than the function's concurrency. */
const CONCURRENT_BATCHES = 10;
/** Retries of the step that reports a failed step: nothing may stop this report. */
const LAST_WORD = { attempts: 4, pauseMs: 1_000, maxPauseMs: 8_000, timeoutMs: 20_000 } as const;

const seconds = (ms: number): Duration => Duration.seconds(Math.ceil(ms / 1_000));
const nextIs = (step: StepName): Condition => Condition.stringEquals('$.next', step);

/**
 * The state machine, built from the table of steps. Every task gets the state of the run and returns the next
 * one, which says in `next` which step follows; the machine knows only where each `next` leads.
 */
export function conductorDefinition(scope: Construct, step: IFunction): IChainable {
  const ended = new Succeed(scope, 'Ended');
  const stopped = new Fail(scope, 'Stopped', {
    error: 'RunStopped',
    // The report of the run, with its state and the next command: a machine that fails has no output.
    causePath: 'States.JsonToString($)',
  });
  const task = (id: string, name: StepName): LambdaInvoke => stepTask(scope, id, { name, step });
  const lastWord = (id: string, name: LastWord): LambdaInvoke =>
    withRetries(invoke(scope, id, { step, name, timeoutMs: LAST_WORD.timeoutMs, state: true }), LAST_WORD);

  const fail = lastWord('Fail', 'fail');
  fail.addCatch(stopped, { errors: [Errors.ALL], resultPath: '$.lost' });
  // A guard that refuses has done its work: the machine has not failed, and nobody is woken.
  const refused = Condition.stringEquals('$.state', failbackRefused.state);
  fail.next(new Choice(scope, 'WasItRefused').when(refused, ended).otherwise(stopped));
  const superseded = lastWord('Superseded', 'superseded');
  superseded.addCatch(ended, { errors: [Errors.ALL], resultPath: '$.lost' });
  superseded.next(ended);
  const unfinished = lastWord('Unfinished', 'unfinished');
  unfinished.addCatch(ended, { errors: [Errors.ALL], resultPath: '$.lost' });
  unfinished.next(ended);

  const finish = task('Finish', 'finish');
  const notify = task('Notify', 'notify');
  const arrivals = task('Arrivals', 'arrivals');
  const consumers = task('Consumers', 'consumers');
  const dns = task('Dns', 'dns');
  const confirm = task('Confirm', 'confirm');
  const latch = latchMap(scope, step);
  const fitness = task('Fitness', 'fitness');
  const refresh = task('Refresh', 'refresh');
  const lease = task('Lease', 'lease');
  const failback = { guards: task('FailbackGuards', 'failback-guards'), release: task('Release', 'release') };
  const watch = task('Watch', 'watch');
  const takeBack = task('TakeBack', 'take-back');

  const stopping = [lease, refresh, fitness, confirm, failback.guards, failback.release, watch, takeBack];
  for (const each of [...stopping, latch]) {
    each.addCatch(superseded, { errors: ['FencedError'], resultPath: '$.error' });
    each.addCatch(fail, { errors: [Errors.ALL], resultPath: '$.error' });
  }
  for (const [each, after] of [
    [dns, arrivals],
    [arrivals, consumers],
    [consumers, notify],
    [notify, finish],
  ] as const) {
    each.addCatch(superseded, { errors: ['FencedError'], resultPath: '$.error' });
    each.addCatch(after, { errors: [Errors.ALL], resultPath: '$.error' });
    each.next(after);
  }
  finish.addCatch(unfinished, { errors: [Errors.ALL], resultPath: '$.error' });
  finish.next(ended);

  fitness.next(latch).next(confirm).next(dns);
  refresh.next(
    new Choice(scope, 'WhatIsLeft')
      .when(nextIs('fitness'), fitness)
      .when(nextIs('confirm'), confirm)
      .otherwise(notify),
  );
  const settle = new Wait(scope, 'Settle', { time: WaitTime.secondsPath('$.waitSeconds') });
  settle.next(watch);
  failback.guards.next(failback.release).next(settle);
  watch.next(
    new Choice(scope, 'DoesItHold')
      .when(nextIs('watch'), settle)
      .when(nextIs('release'), failback.release)
      .when(nextIs('take-back'), takeBack)
      .otherwise(notify),
  );
  takeBack.next(notify);
  return lease.next(
    new Choice(scope, 'WhichWay').when(nextIs('failback-guards'), failback.guards).otherwise(refresh),
  );
}

/**
 * The latch of all groups, in parallel batches, each an execution of its own, so that a thousand switches
 * take seconds.
 */
function latchMap(scope: Construct, step: IFunction): DistributedMap {
  const batch = invoke(scope, 'Latch', {
    step,
    name: 'latch',
    timeoutMs: stepNamed('latch').timeoutMs,
    state: true,
    batch: true,
  });
  // One batch that fails must not fail the map: `confirm` sets what is missing, and judges.
  const processor = withRetries(batch, stepNamed('latch').retry);
  processor.addCatch(new Succeed(scope, 'LeftToConfirm'), { errors: [Errors.ALL] });
  return new DistributedMap(scope, 'LatchAll', {
    itemsPath: JsonPath.stringAt('$.batches'),
    itemSelector: { state: JsonPath.objectAt('$'), batch: JsonPath.objectAt('$$.Map.Item.Value') },
    maxConcurrency: CONCURRENT_BATCHES,
    // Batches are few; and LocalStack's parser takes no other type.
    mapExecutionType: StateMachineType.STANDARD,
    resultPath: JsonPath.DISCARD,
  }).itemProcessor(processor);
}

function stepTask(
  scope: Construct,
  id: string,
  { name, step }: { readonly name: StepName; readonly step: IFunction },
): LambdaInvoke {
  const { timeoutMs, retry, waitsFor } = stepNamed(name);
  return withRetries(invoke(scope, id, { step, name, timeoutMs, state: name !== 'lease' }), retry, waitsFor);
}

type LastWord = 'fail' | 'superseded' | 'unfinished';
/** The steps that return the state of the run with its report, which becomes the output of the execution. */
const reporting: ReadonlySet<string> = new Set<LastWord | StepName>([
  'finish',
  'fail',
  'superseded',
  'unfinished',
]);

interface Invocation {
  readonly step: IFunction;
  readonly name: StepName | LastWord;
  readonly timeoutMs: number;
  /** True: the input is a state of the run; false: it is what the execution was started with. */
  readonly state: boolean;
  readonly batch?: boolean;
}

function invoke(
  scope: Construct,
  id: string,
  { step, name, timeoutMs, state, batch = false }: Invocation,
): LambdaInvoke {
  const given = state
    ? batch
      ? { state: JsonPath.objectAt('$.state'), batch: JsonPath.objectAt('$.batch') }
      : { state: JsonPath.objectAt('$') }
    : { input: JsonPath.objectAt('$'), startedAt: JsonPath.stringAt('$$.Execution.StartTime') };
  return new LambdaInvoke(scope, id, {
    lambdaFunction: step,
    payload: TaskInput.fromObject({ step: name, ...given }),
    outputPath: reporting.has(name) ? '$.Payload.report' : '$.Payload',
    retryOnServiceExceptions: false,
    taskTimeout: Timeout.duration(seconds(timeoutMs)),
  });
}

function withRetries(
  task: LambdaInvoke,
  retry: ConductorStep['retry'],
  waitsFor?: ConductorStep['waitsFor'],
): LambdaInvoke {
  task.addRetry({ errors: [...finalErrors], maxAttempts: 0 });
  if (waitsFor !== undefined) task.addRetry(again(waitsFor, waitsFor.error));
  return task.addRetry(again(retry, Errors.ALL)) as LambdaInvoke;
}

const again = ({ attempts, pauseMs, maxPauseMs }: ConductorStep['retry'], error: string): RetryProps => ({
  errors: [error],
  maxAttempts: attempts,
  interval: seconds(pauseMs),
  maxDelay: seconds(maxPauseMs),
  backoffRate: 2,
});
