import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import getPort from 'get-port';
import { ensureEnvironment } from './environment.ts';
import { LocalStackStartError, PortInUseError } from './errors.ts';
import { kinesisUrl, placeKinesisLocal } from './kinesis-local.ts';
import { isHealthy, type Launched, launch } from './launch.ts';

export interface LocalStackOptions {
  /** Run directory: LocalStack's file system, `localstack.log` and one log for each function. */
  readonly directory: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly onProgress?: (text: string) => void;
  /**
   * Called once if LocalStack ends without having been stopped; everything it started has been ended by then. Of the one
   * named by SPILLWAY_LOCALSTACK_URL it is known by its silence.
   */
  readonly onExit?: (reason: string) => void;
  /** How long the one named by SPILLWAY_LOCALSTACK_URL may be silent. Default 15 s: a busy one misses an answer or two. */
  readonly silenceMs?: number;
  /** Default 60 s, counted after the environment has been made. */
  readonly startTimeoutMs?: number;
  /** Ends the start; once started, use `stop`. */
  readonly signal?: AbortSignal;
}

export interface LocalStack {
  /** `http://127.0.0.1:PORT`. The IP address makes the SDKs use path-style S3, which needs no wildcard DNS. */
  readonly url: string;
  readonly port: number;
  readonly logFile: string;
  /** True for the one named by SPILLWAY_LOCALSTACK_URL, which `stop` leaves alone. */
  readonly external: boolean;
  /** Leads the process group of everything that belongs to it; unknown for the one named by SPILLWAY_LOCALSTACK_URL. */
  readonly pid?: number;
  /**
   * Where its Kinesis can be called directly, for a tenth of the work. Undefined before the first call of Kinesis, and for
   * the one named by SPILLWAY_LOCALSTACK_URL.
   */
  kinesisUrl(): Promise<string | undefined>;
  stop(): Promise<void>;
}

const HERE = path.dirname(fileURLToPath(import.meta.url));
const PORT_ATTEMPTS = 3;
const HEALTH_POLL_MS = 1_000;
const SILENCE_MS = 15_000;

async function isPortFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function localStackEnvironment(directory: string, port: number): NodeJS.ProcessEnv {
  return {
    // Functions and kinesis-local must run on this Node, not on whichever comes first on the PATH.
    PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH ?? ''}`,
    HOME: directory,
    TEMP: path.join(directory, 'tmp'), // Python's second choice; LocalStack warns of TMPDIR
    LANG: 'C.UTF-8',
    PYTHONPATH: path.join(HERE, 'python'),
    PYTHONUNBUFFERED: '1',
    SPILLWAY_NODE: process.execPath,
    SPILLWAY_LAMBDA_BOOTSTRAP: path.join(HERE, 'lambda-bootstrap.mjs'),
    SPILLWAY_LOG_DIR: directory,
    FILESYSTEM_ROOT: directory,
    OVERRIDE_IN_DOCKER: '0',
    GATEWAY_LISTEN: `127.0.0.1:${port}`,
    LOCALSTACK_HOST: `localhost:${port}`,
    DNS_ADDRESS: '0',
    DISABLE_EVENTS: '1',
    SKIP_SSL_CERT_DOWNLOAD: '1',
    KINESIS_PERSISTENCE: '0',
    CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES: '0',
    LAMBDA_RUNTIME_EXECUTOR: 'spillway-node',
    PROVIDER_OVERRIDE_DYNAMODB: 'moto',
    LS_LOG: 'warning',
    IN_MEMORY_CLIENT: '1', // its calls to itself by way of HTTP would double the cost of an invocation
  };
}

async function useExternal(url: string, logFile: string, options: LocalStackOptions): Promise<LocalStack> {
  const base = URL.parse(url);
  if (base?.protocol !== 'http:') {
    throw new LocalStackStartError(
      `SPILLWAY_LOCALSTACK_URL must look like http://127.0.0.1:4566, not ${url}.`,
    );
  }
  // Only for an IP address do the SDKs use path-style S3, which needs no wildcard DNS.
  if (base.hostname === 'localhost') base.hostname = '127.0.0.1';
  if (!(await isHealthy(base.origin))) {
    throw new LocalStackStartError(
      `No LocalStack answers at ${base.origin} (SPILLWAY_LOCALSTACK_URL); start it, or unset the variable to have one started.`,
    );
  }
  await writeFile(logFile, `LocalStack at ${base.origin} was started elsewhere; its log is there.\n`);
  return {
    url: base.origin,
    port: Number(base.port || 80),
    logFile,
    external: true,
    kinesisUrl: async () => undefined,
    stop: watchHealth(base.origin, options),
  };
}

/** Tells once when it has not answered for a while. Returns what ends the watch. */
function watchHealth(
  url: string,
  { onExit, silenceMs = SILENCE_MS }: LocalStackOptions,
): () => Promise<void> {
  const watching = new AbortController();
  const watch = async (): Promise<void> => {
    for (let healthyAtMs = performance.now(); !watching.signal.aborted; ) {
      await sleep(HEALTH_POLL_MS, undefined, { signal: watching.signal, ref: false });
      if (await isHealthy(url)) healthyAtMs = performance.now();
      else if (performance.now() - healthyAtMs > silenceMs) break;
    }
    if (!watching.signal.aborted) onExit?.(`Nothing answers at ${url} any more (SPILLWAY_LOCALSTACK_URL).`);
  };
  watch().catch(() => {}); // its sleep was ended
  return async () => watching.abort();
}

/**
 * Starts LocalStack without Docker, or uses the one at SPILLWAY_LOCALSTACK_URL. The first call in a clone installs LocalStack
 * into `.spillway/localstack`. Throws LocalStackEnvironmentError, LocalStackStartError or PortInUseError.
 */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  const directory = path.resolve(options.directory);
  const logFile = path.join(directory, 'localstack.log');
  await mkdir(path.join(directory, 'tmp'), { recursive: true });
  // Functions are unpacked below. Without a boundary, Node would read their index.js by this project's "type": "module".
  await writeFile(path.join(directory, 'package.json'), '{}\n');
  const external = process.env.SPILLWAY_LOCALSTACK_URL;
  if (external) return useExternal(external, logFile, options);

  if (options.port !== undefined && !(await isPortFree(options.port))) throw new PortInUseError(options.port);
  const { python } = await ensureEnvironment({ onProgress: options.onProgress, signal: options.signal });
  await placeKinesisLocal(directory);
  options.onProgress?.('Starting LocalStack');
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await getPort({ host: '127.0.0.1' }));
    try {
      const launched = await launchOn(port, { ...options, directory }, { python, logFile });
      return {
        ...launched,
        ...{ url: `http://127.0.0.1:${port}`, port, logFile, external: false },
        kinesisUrl: () => kinesisUrl(directory),
      };
    } catch (error) {
      const retry = error instanceof PortInUseError && options.port === undefined && attempt < PORT_ATTEMPTS;
      if (!retry) throw error;
    }
  }
}

async function launchOn(
  port: number,
  options: LocalStackOptions,
  made: { readonly python: string; readonly logFile: string },
): Promise<Launched> {
  await writeFile(made.logFile, '');
  return launch({
    ...made,
    port,
    directory: options.directory,
    environment: localStackEnvironment(options.directory, port),
    startTimeoutMs: options.startTimeoutMs ?? 60_000,
    onExit: options.onExit,
    signal: options.signal,
  });
}
