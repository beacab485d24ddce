import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { ForeignClientError } from './errors.ts';
import { javaPrograms } from './java.ts';
import { clientPython } from './python.ts';

/** Clients of Kinesis that are not ours, each with a program that puts the records of its stdin. */
export const foreignClients = {
  boto3: 'boto3',
  java: 'the AWS SDK for Java, synchronous, over HTTP/1.1',
  'java-async': 'the AWS SDK for Java, asynchronous, over HTTP/2',
  kpl: 'the Kinesis Producer Library with its native daemon',
  js: 'the AWS SDK for JavaScript',
  'async-kinesis': 'async-kinesis, for Python',
  aiokpl: 'aiokpl, for Python, which writes KPL aggregates',
} as const;

export type ForeignClientName = keyof typeof foreignClients;
export const foreignClientNames = Object.keys(foreignClients) as readonly ForeignClientName[];

/** Where the client finds its Kinesis: all that an application changes to write through a sidecar. */
export interface ForeignClientSettings {
  /** With TLS. */
  readonly endpoint: string;
  /** File of the authority that the client is to trust. */
  readonly caFile: string;
  readonly stream: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A line to the program's stdin. */
export interface ClientRecord {
  readonly id: string;
  readonly partitionKey: string;
  readonly explicitHashKey?: string;
  /** Base64. */
  readonly data: string;
}

/** A line of its stdout: a record that the client says is written, or that it gave up. */
export type ClientLine =
  | {
      readonly id: string;
      readonly shardId?: string;
      readonly sequenceNumber?: string;
      /** How often the client sent it, where it says so. */
      readonly attempts?: number;
    }
  | { readonly id: string; readonly failed: string }
  | { readonly problem: string };

/** How to start a client's program. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What a client of this kind is started with, by its settings; installs and builds on first use. @throws ForeignClientError */
export async function prepareClient(
  name: ForeignClientName,
  onProgress?: (line: string) => void,
): Promise<(settings: ForeignClientSettings) => Promise<Launch>> {
  switch (name) {
    case 'boto3':
    case 'async-kinesis':
    case 'aiokpl': {
      const python = await clientPython(onProgress);
      const program = join(import.meta.dirname, 'python', `${name.replace('-', '_')}_writer.py`);
      return async (settings) => ({
        command: python,
        args: [program, JSON.stringify(settings)],
        env: { PYTHONDONTWRITEBYTECODE: '1' },
      });
    }
    case 'java':
    case 'java-async':
    case 'kpl':
      return javaLaunch(name, onProgress);
    case 'js': {
      const program = join(import.meta.dirname, 'js/sdk-writer.mjs');
      return async (settings) => ({
        command: process.execPath,
        args: [program, JSON.stringify(settings)],
        env: { NODE_EXTRA_CA_CERTS: settings.caFile },
      });
    }
    default: {
      const never: never = name;
      throw new ForeignClientError(`No client is called ${never}.`);
    }
  }
}

const mainClasses = { java: 'SdkWriter', 'java-async': 'SdkAsyncWriter', kpl: 'KplWriter' } as const;

async function javaLaunch(
  name: keyof typeof mainClasses,
  onProgress: ((line: string) => void) | undefined,
): Promise<(settings: ForeignClientSettings) => Promise<Launch>> {
  const { classPath, tempDirectory } = await javaPrograms({ onProgress });
  return async (settings) => {
    const { hostname, port } = new URL(settings.endpoint);
    const place = { host: hostname, port: Number(port), tempDirectory, maxConnections: 1, threadPool: 1 };
    const trust = name === 'kpl' ? [] : trusting(await trustStore(settings.caFile));
    return {
      command: 'java',
      args: [
        ...JVM_FLAGS,
        ...trust,
        '-cp',
        classPath,
        mainClasses[name],
        JSON.stringify({ ...settings, ...place }),
      ],
      env: { AWS_EC2_METADATA_DISABLED: 'true' },
    };
  };
}

/** Not a secret: the format asks for one. */
const STORE_PASSWORD = 'changeit';

const trusting = (store: string): readonly string[] => [
  `-Djavax.net.ssl.trustStore=${store}`,
  `-Djavax.net.ssl.trustStorePassword=${STORE_PASSWORD}`,
];

/** Several may run beside each other. */
const JVM_FLAGS = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'] as const;

/** The authority in the format that Java reads, beside its file. */
async function trustStore(caFile: string): Promise<string> {
  const store = `${caFile}.p12`;
  if (existsSync(store)) return store;
  const args = ['-importcert', '-noprompt', '-alias', 'sidecar', '-file', caFile, '-keystore', store];
  const format = ['-storetype', 'PKCS12', '-storepass', STORE_PASSWORD];
  const { failed, stdout, stderr } = await execa('keytool', [...args, ...format], { reject: false });
  if (failed)
    throw new ForeignClientError(`keytool failed: ${stdout}${stderr}\nInstall a JDK (17 or later).`);
  return store;
}

export interface ForeignClient {
  readonly child: ChildProcess;
  put(record: ClientRecord): void;
  /** No more records: the client delivers what it has, and ends. */
  end(): void;
  readonly exited: Promise<void>;
  /** What it wrote to stderr last. */
  complaints(): string;
}

const KEPT_CHARACTERS = 4_000;

export function startClient(
  { command, args, env }: Launch,
  { base, onLine }: { readonly base: NodeJS.ProcessEnv; readonly onLine: (line: ClientLine) => void },
): ForeignClient {
  const child = spawn(command, args, { env: { ...base, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaints = `${complaints}${chunk}`.slice(-KEPT_CHARACTERS);
  });
  // A client that has died is reported by its exit.
  child.stdin.on('error', () => {});
  child.on('error', (error) => {
    complaints = `${complaints}${error.message}`;
  });
  createInterface({ input: child.stdout }).on('line', (line) => onLine(JSON.parse(line) as ClientLine));
  return {
    child,
    put: (record) => void child.stdin.write(`${JSON.stringify(record)}\n`),
    end: () => void child.stdin.end(),
    exited: new Promise((resolve) => child.once('close', () => resolve())),
    complaints: () => complaints,
  };
}
