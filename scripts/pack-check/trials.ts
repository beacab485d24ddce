import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startSink } from '../../test/producer/sink/sink.ts';
import { type Project, StepError } from './project.ts';

export interface Trial {
  readonly name: string;
  readonly run: () => Promise<void>;
}

const here = (file: string): string => join(import.meta.dirname, 'try', file);
const STACKS = 6;

/** The trials of an application that uses the producer and the consumer. */
export async function applicationTrials(project: Project, root: string): Promise<readonly Trial[]> {
  await project.copy(here('put.mjs'), 'put.mjs');
  await project.copy(here('put.cjs'), 'put.cjs');
  await project.copy(here('read.mjs'), 'read.mjs');
  await project.copy(here('application.ts'), 'application.ts');
  const put = async (file: string): Promise<void> => {
    const sink = await startSink({ tls: false });
    try {
      await project.run(process.execPath, [file], { SINK_URL: sink.url, SPILLWAY_REGION: 'us-east-1' });
      const { records } = await sink.received();
      if (records !== 1) throw new StepError(`${file}: ${records} records arrived, not 1.`);
    } finally {
      await sink.close();
    }
  };
  const compile = async (name: string, options: object): Promise<void> => {
    const file = `tsconfig.${name}.json`;
    const compilerOptions = {
      strict: true,
      noEmit: true,
      target: 'es2024',
      lib: ['es2024'],
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      ...options,
    };
    await project.write(file, JSON.stringify({ compilerOptions, files: ['application.ts'] }));
    await project.run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', file]);
  };
  return [
    { name: 'esm', run: () => put('put.mjs') },
    { name: 'cjs', run: () => put('put.cjs') },
    {
      name: 'consumer',
      run: async () => {
        await project.run(process.execPath, ['read.mjs']);
        // What the application has not installed does not keep it from being bundled.
        const flags = ['--bundle', '--platform=node', '--format=esm', '--outfile=bundle-read.mjs'];
        await project.run(join(root, 'node_modules/.bin/esbuild'), ['read.mjs', ...flags]);
        await project.run(process.execPath, ['bundle-read.mjs']);
      },
    },
    { name: 'nodenext', run: () => compile('nodenext', { module: 'nodenext' }) },
    {
      name: 'bundler',
      run: () => compile('bundler', { module: 'esnext', moduleResolution: 'bundler' }),
    },
    {
      name: 'esbuild',
      run: async () => {
        for (const [file, format] of [
          ['put.mjs', 'esm'],
          ['put.cjs', 'cjs'],
        ] as const) {
          const outfile = `bundle-${format}.${format === 'esm' ? 'mjs' : 'cjs'}`;
          const flags = ['--bundle', '--platform=node', `--format=${format}`, `--outfile=${outfile}`];
          // The banner that esbuild's documentation gives for CommonJS libraries, such as the SDK.
          const banner =
            "--banner:js=import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
          const esbuild = join(root, 'node_modules/.bin/esbuild');
          await project.run(esbuild, [file, ...flags, ...(format === 'esm' ? [banner] : [])]);
          await put(outfile);
        }
      },
    },
  ];
}

export interface Others {
  readonly root: string;
  /** Installs a CDK app of a user's own, in another folder. */
  readonly author: () => Promise<Project>;
}

const init =
  'init --name shop --zone-id Z0123456789ABCDEFGHIJ --zone shop.example.com --streams orders,clicks';

/** The trials of operators and of authors of CDK apps. */
export function operatorTrials(project: Project, { author }: Others): readonly Trial[] {
  const offline = { AWS_EC2_METADATA_DISABLED: 'true', CDK_DISABLE_CLI_TELEMETRY: 'true' };
  return [
    {
      name: 'cli',
      run: async () => {
        for (const args of ['--help', '--version', 'drill --help', 'simulate --help']) {
          await project.run('npx', ['--no-install', 'spillway', ...args.split(' ')]);
        }
      },
    },
    {
      name: 'init-synth',
      run: async () => {
        await project.run('npx', ['--no-install', 'spillway', ...init.split(' ')]);
        await project.run('npx', ['--no-install', 'cdk', 'synth', '-q'], offline);
        await expectTemplates(join(project.directory, 'cdk.out'));
        for (const args of ['cost --json', 'simulate --scenario blip-10s --seeds 1..2 --json']) {
          await project.run('npx', ['--no-install', 'spillway', ...args.split(' ')]);
        }
      },
    },
    {
      name: 'cdk',
      run: async () => {
        const app = await author();
        await app.copy(here('author.ts'), 'author.mts');
        await app.copy(here('author.cjs'), 'author.cjs');
        for (const [file, out] of [
          ['author.mts', 'cdk.out'],
          ['author.cjs', 'cdk.cjs.out'],
        ] as const) {
          await app.run(process.execPath, [file], offline);
          await expectTemplates(join(app.directory, out));
        }
      },
    },
  ];
}

async function expectTemplates(directory: string): Promise<void> {
  const templates = (await readdir(directory)).filter((name) => name.endsWith('.template.json'));
  if (templates.length !== STACKS) {
    throw new StepError(
      `${templates.length} stacks were synthesised, not ${STACKS}: ${templates.join(', ')}`,
    );
  }
  for (const name of templates) {
    if (/"Code": *\{ *"ZipFile"/.test(await readFile(join(directory, name), 'utf8'))) {
      throw new StepError(`${name} has a function without its code.`);
    }
  }
}
