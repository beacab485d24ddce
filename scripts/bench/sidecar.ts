import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { workDirectory } from '../../lib/files/own-files.ts';
import { clientPython } from '../../lib/local/clients/python.ts';
import { startSink } from '../../test/producer/sink/sink.ts';
import { startSidecarProcess } from '../../test/sidecar/sidecar-process.ts';
import type { BenchContext } from './context.ts';
import { median } from './figures.ts';

const plans = { full: { rounds: 5, seconds: 3 }, quick: { rounds: 1, seconds: 0.5 } } as const;
/** Calls at once where throughput is measured; one where a call is timed. */
const WORKERS = 4;
const here = join(import.meta.dirname, 'sidecar');
const measured = z.object({ p50Ms: z.number(), p99Ms: z.number(), recordsPerSecond: z.number() });
type Measured = z.infer<typeof measured>;

const environment = {
  AWS_REGION: 'us-east-1',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'AKIDBENCH',
  AWS_SECRET_ACCESS_KEY: 'bench-secret',
  AWS_EC2_METADATA_DISABLED: 'true',
  PYTHONDONTWRITEBYTECODE: '1',
};

/** How one client does, one call at a time and several at once. */
type Run = (way: Way, workers: number) => Promise<Measured>;
interface Way {
  readonly url: string;
  /** File of the authority to trust. */
  readonly ca: string;
}

/** Compares PutRecords of 100 through the sidecar, with a spool, with the same call to the sink itself, which is TLS in both cases. */
export async function bench({ progress, quick }: BenchContext) {
  const plan = quick ? plans.quick : plans.full;
  const scratch = join(workDirectory(), '.spillway');
  await mkdir(scratch, { recursive: true });
  const directory = await mkdtemp(join(scratch, 'bench-sidecar-'));
  const python = await clientPython(progress);
  const sink = await startSink({ tls: true });
  const ca = join(directory, 'ca.pem');
  await writeFile(ca, sink.ca ?? '');
  const sidecar = await startSidecarProcess({
    endpoint: sink.url,
    directory,
    env: { NODE_EXTRA_CA_CERTS: ca },
  });
  const clients: Readonly<Record<string, Run>> = {
    boto3: ({ url, ca: trusted }, workers) =>
      run(python, [join(here, 'put-records.py'), url, trusted, String(plan.seconds), String(workers)]),
    sdk: ({ url }, workers) =>
      run(process.execPath, [join(here, 'put-records.ts'), url, String(plan.seconds), String(workers)], ca),
  };
  const ways = { direct: { url: sink.url, ca }, sidecar: { url: sidecar.url, ca: '' } };
  try {
    const figures: Record<string, ReturnType<typeof figuresOf>> = {};
    for (const [name, client] of Object.entries(clients)) {
      const rounds: Round[] = [];
      for (let n = 0; n < plan.rounds; n++) {
        const round = await roundOf(client, ways);
        rounds.push(round);
        progress(`${name}: ${JSON.stringify(figuresOf([round]))}`);
      }
      figures[name] = figuresOf(rounds);
    }
    return { name: 'sidecar', ...figures, ...plan, node: process.version, table: tableOf(figures) };
  } finally {
    await sidecar.kill();
    await sink.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function run(program: string, args: readonly string[], ca?: string): Promise<Measured> {
  const env = { ...environment, ...(ca === undefined ? {} : { NODE_EXTRA_CA_CERTS: ca }) };
  const { stdout } = await execa(program, args, { env });
  return measured.parse(JSON.parse(stdout));
}

type Name = 'direct' | 'sidecar';
type Round = Readonly<Record<Name, { readonly one: Measured; readonly many: Measured }>>;

/** Both ways, one after the other, so that a busy moment of the machine does not count for one of them alone. */
async function roundOf(client: Run, ways: Readonly<Record<Name, Way>>): Promise<Round> {
  const of = async (way: Way) => ({ one: await client(way, 1), many: await client(way, WORKERS) });
  return { direct: await of(ways.direct), sidecar: await of(ways.sidecar) };
}

function figuresOf(rounds: readonly Round[]) {
  const of = (name: Name) => {
    const middle = (value: (round: Round[Name]) => number): number =>
      median(rounds.map((round) => value(round[name])));
    return {
      p50Ms: round2(middle(({ one }) => one.p50Ms)),
      p99Ms: round2(middle(({ one }) => one.p99Ms)),
      recordsPerSecond: Math.round(middle(({ many }) => many.recordsPerSecond)),
    };
  };
  const [direct, sidecar] = [of('direct'), of('sidecar')];
  return {
    direct,
    sidecar,
    addedP50Ms: round2(sidecar.p50Ms - direct.p50Ms),
    throughputToDirect: round2(sidecar.recordsPerSecond / direct.recordsPerSecond),
  };
}

function tableOf(figures: Readonly<Record<string, ReturnType<typeof figuresOf>>>): string {
  return [
    '| PutRecords of 100 x 200 B | p50, ms | p99, ms | records/s, 4 at once |',
    '| --- | --: | --: | --: |',
    ...Object.entries(figures).flatMap(([client, both]) =>
      (['direct', 'sidecar'] as const).map((way) => {
        const { p50Ms, p99Ms, recordsPerSecond } = both[way];
        return `| ${client}, ${way} | ${p50Ms} | ${p99Ms} | ${recordsPerSecond.toLocaleString('en-US')} |`;
      }),
    ),
    '',
  ].join('\n');
}

const round2 = (value: number): number => Math.round(value * 100) / 100;
