import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type {
  Behaviour,
  Command,
  KnownIdentity,
  Received,
  RememberedRecord,
  Reply,
  SinkSettings,
} from './behaviour.ts';

/** Kinesis as far as PutRecords goes, in a process of its own, so that it takes no time from its client's thread. */
export interface Sink {
  readonly url: string;
  /** To be trusted by the client; undefined without TLS. */
  readonly ca: string | undefined;
  /** What to do with the next requests, one each; then it serves again. */
  behave(...next: readonly Behaviour[]): Promise<void>;
  /** Replaces the identities whose signatures are verified. */
  accept(...identities: readonly KnownIdentity[]): Promise<void>;
  received(): Promise<Received>;
  /** The records of the last request, with `remember`. */
  last(): Promise<readonly RememberedRecord[]>;
  close(): Promise<void>;
}

const START_TIMEOUT_MS = 10_000;

export async function startSink(settings: SinkSettings): Promise<Sink> {
  const child = fork(fileURLToPath(new URL('process.ts', import.meta.url)), [JSON.stringify(settings)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    // The sink must not take a setting meant for its client.
    env: { PATH: process.env.PATH },
  });
  const ready = await next(child, 'ready');
  let queue: Promise<unknown> = Promise.resolve();
  const ask = <K extends Reply['kind']>(command: Command, kind: K): Promise<Extract<Reply, { kind: K }>> => {
    const asked = queue.then(() => {
      child.send(command);
      return next(child, kind);
    });
    queue = asked.catch(() => {});
    return asked;
  };
  return {
    url: ready.url,
    ca: ready.ca,
    behave: async (...behaviours) => void (await ask({ kind: 'behave', next: behaviours }, 'done')),
    accept: async (...identities) => void (await ask({ kind: 'accept', identities }, 'done')),
    received: async () => (await ask({ kind: 'received' }, 'received')).received,
    last: async () => (await ask({ kind: 'last' }, 'last')).records,
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}

async function next<K extends Reply['kind']>(
  child: ChildProcess,
  kind: K,
): Promise<Extract<Reply, { kind: K }>> {
  const timeout = AbortSignal.timeout(START_TIMEOUT_MS);
  const [message] = (await once(child, 'message', { signal: timeout })) as [Reply];
  if (message.kind !== kind) throw new Error(`The sink answered ${message.kind} where ${kind} was expected.`);
  return message as Extract<Reply, { kind: K }>;
}
