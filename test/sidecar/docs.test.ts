import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { processIo } from '../../lib/cli/io.ts';
import { sidecarCommand } from '../../lib/cli/sidecar.ts';
import { kinesisCodes, producerErrors } from '../../lib/sidecar/kinesis-error.ts';
import { passedOn } from '../../lib/sidecar/pass-on.ts';

let text: string;
beforeAll(async () => {
  text = await readFile('docs/sidecar.md', 'utf8');
});

const example = (language: string): string => text.split(`\`\`\`${language}\n`)[1]?.split('```')[0] ?? '';

/** Parses the options of a command line that begins with `spillway sidecar`, as the command would. */
function flagsOf(words: readonly string[]): Readonly<Record<string, unknown>> {
  expect(words.slice(0, 2)).toEqual(['spillway', 'sidecar']);
  const command = sidecarCommand(processIo())
    .exitOverride()
    .action(() => {});
  command.parse(words.slice(2), { from: 'user' });
  return command.opts();
}

describe('docs/sidecar.md', () => {
  it('lists every error of the producer, with its code and meaning', () => {
    for (const { of, code, means } of producerErrors) {
      expect(text).toContain(`| \`${of.name}\` | ${code} | ${means} |`);
      expect(kinesisCodes).toHaveProperty(code);
    }
    for (const operation of passedOn) expect(text).toContain(operation);
  });

  it('has a unit for systemd that starts the command and gives it time to end', () => {
    const unit = Object.fromEntries(
      example('ini')
        .split('\n')
        .filter((line) => line.includes('=') && !line.startsWith('#'))
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    const [program = '', ...words] = String(unit.ExecStart).split(' ');
    const flags = flagsOf([program.replace(/.*\//, ''), ...words]);
    expect(flags).toMatchObject({ json: true, spool: '/var/lib/spillway/spool' });
    expect(Number(unit.TimeoutStopSec) * 1_000).toBeGreaterThan(flags.drain as number);
    expect(Number(unit.SuccessExitStatus)).toBe(4);
  });

  it('has a task definition for ECS', () => {
    const task = z
      .object({
        containerDefinitions: z.array(
          z.looseObject({
            name: z.string(),
            command: z.array(z.string()).optional(),
            stopTimeout: z.number().max(120).optional(),
          }),
        ),
      })
      .parse(JSON.parse(example('json')));
    const sidecar = task.containerDefinitions.find(({ name }) => name === 'spillway');
    const flags = flagsOf(sidecar?.command ?? []);
    expect(flags).toMatchObject({ regions: ['us-east-1', 'us-west-2'], stream: 'orders' });
    expect((sidecar?.stopTimeout ?? 0) * 1_000).toBeGreaterThan(flags.drain as number);
  });

  it('has a pod for Kubernetes', () => {
    const container = z.looseObject({
      command: z.array(z.string()),
      args: z.array(z.string()),
      restartPolicy: z.literal('Always'),
    });
    const { spec } = z
      .object({
        spec: z.object({
          template: z.object({
            spec: z.object({ terminationGracePeriodSeconds: z.number(), initContainers: z.array(container) }),
          }),
        }),
      })
      .parse(parse(example('yaml')));
    const [sidecar] = spec.template.spec.initContainers;
    const flags = flagsOf([...(sidecar?.command ?? []), ...(sidecar?.args ?? [])]);
    expect(flags).toMatchObject({ admin: { host: '0.0.0.0', port: 9090 }, spool: '/spool/records' });
    expect(spec.template.spec.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(flags.drain as number);
  });
});
