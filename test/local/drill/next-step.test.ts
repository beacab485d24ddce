import { describe, expect, it } from 'vitest';
import {
  type AbortKind,
  type FailureKind,
  nextStep,
  type StepContext,
} from '../../../lib/local/drill/next-step.ts';

const context: StepContext = {
  directory: '/runs/1',
  files: [
    'audit.jsonl',
    'deploy.log',
    'events.jsonl',
    'lost.json',
    'localstack/lambda-eu-west-1-spillway-observer.log',
    'localstack/lambda-us-west-2-spillway-conductor.log',
    'localstack/lambda-us-west-2-spillway-observer.log',
    'localstack/lambda-us-west-2-spillway-switch.log',
    'localstack/localstack.log',
    'outputs.json',
    'spool-p1',
  ],
  simulate: 'spillway simulate --scenario 2020-kinesis --seeds 1 --trace',
  repeat: 'spillway drill --scenario 2020-kinesis --seed 7',
  primary: 'us-east-1',
  disturbed: false,
};

const look = (kinds: readonly (FailureKind | AbortKind)[], changes: Partial<StepContext> = {}) => {
  const { lookAt, nextCommand } = nextStep(kinds, { ...context, ...changes });
  return { files: lookAt.map(({ file }) => file.replace('/runs/1/', '')), nextCommand };
};
const observers = context.files.filter((file) => file.endsWith('-observer.log'));

describe('after a drill that failed', () => {
  it.each<[string, FailureKind | AbortKind, readonly string[], string]>([
    ['by another verdict', 'verdict', ['events.jsonl', ...observers], context.simulate ?? ''],
    ['by another diagnosis', 'diagnosis', [...observers, 'events.jsonl'], context.simulate ?? ''],
    ['by lost records', 'lost', ['lost.json', 'spool-p1', 'events.jsonl'], context.repeat],
    [
      'with records on disk',
      'on-disk',
      ['spool-p1', 'events.jsonl'],
      'spillway spool inspect /runs/1/spool-p1',
    ],
    [
      'by a call that may not be made',
      'audit',
      ['audit.jsonl'],
      'spillway audit /runs/1/audit.jsonl --primary us-east-1',
    ],
    ['as it took too long', 'arrival', ['events.jsonl', ...observers], context.repeat],
    [
      'in the deployment',
      'deploy',
      ['deploy.log', 'localstack/localstack.log'],
      'tail -n 60 /runs/1/deploy.log',
    ],
    [
      'as LocalStack died',
      'localstack-died',
      ['localstack/localstack.log', 'events.jsonl'],
      'tail -n 60 /runs/1/localstack/localstack.log',
    ],
    ['as LocalStack did not start', 'localstack-start', ['localstack/localstack.log'], 'spillway local'],
    ['as the machine was too slow', 'too-slow', ['events.jsonl', ...observers], context.repeat],
    [
      'as its failback was refused',
      'failback-refused',
      [...observers, 'events.jsonl'],
      `${context.repeat} --keep`,
    ],
    [
      'as it never came to rest',
      'not-at-rest',
      [...observers, 'localstack/localstack.log', 'events.jsonl'],
      context.repeat,
    ],
  ])('%s: where to look, and one command', (_, kind, files, nextCommand) => {
    expect(look([kind])).toEqual({ files, nextCommand });
  });

  it('asks the world itself while it stands', () => {
    const worldFile = '/runs/1/world.json';
    expect(look(['verdict'], { worldFile }).nextCommand).toBe(`spillway why --world ${worldFile}`);
    expect(look(['failback'], { worldFile }).nextCommand).toBe(`spillway history --world ${worldFile}`);
  });

  it('asks for a world that stands where virtual time knows no such drill', () => {
    const { simulate: _, ...rest } = context;
    expect(nextStep(['verdict'], rest).nextCommand).toBe(`${context.repeat} --keep`);
  });

  it('by several: the gravest has the command, and all of them their files, each once', () => {
    const { files, nextCommand } = look(['verdict', 'lost']);
    expect(nextCommand).toBe(context.repeat);
    expect(files).toEqual(['lost.json', 'spool-p1', 'events.jsonl', ...observers]);
  });

  it('beside another drill: alone, before anything else is believed', () => {
    const { nextCommand, why } = nextStep(['verdict'], { ...context, disturbed: true });
    expect(nextCommand).toBe(context.repeat);
    expect(why).toMatch(/another drill ran beside/);
  });

  it('names no file that is not there', () => {
    expect(look(['lost', 'deploy'], { files: ['deploy.log'] }).files).toEqual(['deploy.log']);
    const { directory: _, ...none } = context;
    const kinds = ['install', 'deploy', 'audit', 'on-disk', 'other'] as const;
    for (const kind of kinds) {
      const { lookAt, nextCommand } = nextStep([kind], none);
      expect(lookAt).toEqual([]);
      expect(nextCommand).not.toMatch(/undefined/);
    }
  });
});
