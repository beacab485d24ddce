import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { workDirectory } from '../files/own-files.ts';
import { UsageError } from '../operate/errors.ts';
import { resolveTarget } from '../operate/target.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import { ownCertificate } from '../sidecar/certificate.ts';
import { eventText, type SidecarEvent } from '../sidecar/events.ts';
import type { SidecarTls, TcpAddress } from '../sidecar/options.ts';
import { Sidecar, type SidecarAddresses } from '../sidecar/sidecar.ts';
import { interruption } from './interruption.ts';
import type { Io } from './io.ts';
import { durationOption, wholeArgument, withTarget } from './options.ts';
import { addressArgument, endpointArgument, regionsArgument, streamArgument } from './sidecar-arguments.ts';
import { cellsOf, producerOptions, type SidecarFlags, signalCell } from './sidecar-settings.ts';
import { type End, perform } from './verb.ts';

const DEFAULT_LISTEN: TcpAddress = { host: '127.0.0.1', port: 4567 };
const DRAIN_MS = 30_000;
const MAX_RECORD_BYTES = 10 * 1024 * 1024 - 4 * 1024;
const MAX_SPOOL_MIB = 1024 * 1024;

/** `spillway sidecar`: Kinesis' API on this machine, for programs in any language, until SIGTERM or Ctrl-C. */
export function sidecarCommand(io: Io): Command {
  const command = withTarget(
    new Command('sidecar').description(
      'Speak the Kinesis API on this machine, and write through the producer: for programs in any language.',
    ),
  )
    .option('--json', 'print one JSON line for each event')
    .option('--signal <name>', 'instead of a config: the TXT record of the one cell to write to')
    .option(
      '--regions <names>',
      'with --signal: the regions that it may name, separated by commas',
      regionsArgument,
    )
    .option(
      '--stream <name>',
      'with --signal: the stream in every region (default: the one the signal names)',
      streamArgument,
    )
    .option(
      '--listen <address>',
      'loopback address and port (default: 127.0.0.1:4567, unless --socket is given)',
      addressArgument,
    )
    .option('--socket <path>', 'listen on this Unix socket, for this user alone')
    .option('--admin <address>', 'another listener, for /healthz and /metrics alone', addressArgument)
    .option('--spool <directory>', 'where records wait on disk while no region takes them: recommended')
    .option(
      '--spool-mib <number>',
      'most MiB of the spool of each cell (default: 1 GiB)',
      wholeArgument({ min: 1, max: MAX_SPOOL_MIB }),
    )
    .addOption(
      new Option('--aggregate [by]', 'write KPL aggregates, by shard or by key').choices(['shard', 'key']),
    )
    .addOption(
      new Option('--order <kind>', 'perKey, or none: for streams with service-managed distribution').choices([
        'perKey',
        'none',
      ]),
    )
    .option(
      '--max-record-bytes <number>',
      'most bytes of a record with its key, as the streams allow (default: 1 MiB)',
      wholeArgument({ min: 1, max: MAX_RECORD_BYTES }),
    );
  return withSecurity(command)
    .addOption(
      durationOption('--drain <duration>', 'longest wait for the end after SIGTERM', { defaultMs: DRAIN_MS }),
    )
    .option(
      '--endpoint <url>',
      'where Kinesis is, for tests; also REGION=URL, several times',
      endpointArgument,
    )
    .addHelpText('after', EXAMPLES)
    .action((flags: SidecarFlags) => perform(io, flags, () => sidecar(io, flags)));
}

const EXAMPLES = `
Exit status after SIGTERM: 0 every record is in a stream, 4 some are left on the disk (start again with the same --spool).

Examples:
  spillway sidecar --config spillway.config.ts --spool /var/lib/spillway
  spillway sidecar --signal signal.orders.example.com --regions us-east-1,us-west-2 --spool /var/lib/spillway`;

const withSecurity = (command: Command): Command =>
  command
    .option(
      '--tls-dir <directory>',
      'where the certificate that the sidecar makes is kept (default: .spillway/sidecar-tls)',
    )
    .option('--cert <file>', 'a certificate of your own, with --key')
    .option('--key <file>', 'its key')
    .option('--client-ca <file>', 'take TLS alone, from clients with a certificate of this authority')
    .option('--allow-remote', 'allow an address that is not loopback; needs --client-ca');

async function sidecar(io: Io, flags: SidecarFlags): Promise<End> {
  const tell = (event: SidecarEvent): void =>
    flags.json ? io.out(JSON.stringify(event)) : io.err(eventText(event));
  const target =
    flags.signal === undefined
      ? await resolveTarget({ ...flags, directory: io.directory, env: io.env })
      : undefined;
  const { caFile, ...tls } = await tlsOf(io, flags);
  const running = new Sidecar({
    cells: target === undefined ? [signalCell(flags)] : cellsOf(target),
    producer: producerOptions(io, flags, target),
    listen: flags.listen ?? (flags.socket === undefined ? DEFAULT_LISTEN : undefined),
    socket: flags.socket === undefined ? undefined : resolve(io.directory, flags.socket),
    admin: flags.admin,
    tls,
    allowRemote: flags.allowRemote,
    onEvent: tell,
  });
  // `draining` says it.
  const interrupted = interruption(() => {});
  try {
    const addresses = await running.start();
    if (flags.json)
      io.out(JSON.stringify({ event: 'listening', ...addresses, ca: caFile ?? null, pid: process.pid }));
    else io.out(listeningText(addresses, caFile, flags));
    const { signal } = interrupted;
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const left = await running.close({ timeoutMs: flags.drain });
    return { exit: left === 0 ? exitCodes.done : exitCodes.unhealthy };
  } finally {
    interrupted.dispose();
  }
}

async function tlsOf(io: Io, flags: SidecarFlags): Promise<SidecarTls & { readonly caFile?: string }> {
  const read = (file: string): Promise<string> =>
    readFile(resolve(io.directory, file), 'utf8').catch((cause: unknown) => {
      throw new UsageError(`${file} cannot be read: name a file in PEM.`, { cause });
    });
  const { cert, key, clientCa } = flags;
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('Give --cert and --key together.');
  const client = clientCa === undefined ? {} : { clientCa: await read(clientCa) };
  if (cert !== undefined && key !== undefined)
    return { cert: await read(cert), key: await read(key), ...client };
  const directory = resolve(io.directory, flags.tlsDir ?? join(workDirectory(), '.spillway/sidecar-tls'));
  return { ...(await ownCertificate(directory, io.nowMs())), ...client };
}

function listeningText(
  { host, port, socket, adminPort }: SidecarAddresses,
  ca: string | undefined,
  flags: SidecarFlags,
): string {
  const at = host?.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return [
    ...(port === undefined
      ? []
      : [
          `The sidecar listens on http://${at} and https://${at}. For the AWS SDKs:`,
          '',
          `  export AWS_ENDPOINT_URL_KINESIS=http://${at}`,
          '',
        ]),
    ...(socket === undefined ? [] : [`The sidecar listens on the socket ${socket}.`]),
    ...(adminPort === undefined ? [] : [`/healthz and /metrics are on port ${adminPort} as well.`]),
    ...(ca === undefined ? [] : [`With https, clients trust ${ca}.`]),
    ...(flags.spool === undefined
      ? ['Without --spool, records wait in memory while no region takes them, and are refused after 5 s.']
      : []),
    'SIGTERM or Ctrl-C ends it in order.',
  ].join('\n');
}
