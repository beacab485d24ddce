import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { NoWorldError, UsageError } from './errors.ts';

/** The file that `spillway drill --keep` writes about the world that it leaves standing. */
const worldSchema = z.object({
  localStackUrl: z.url(),
  dnsServer: z.string().min(1),
  zone: z.object({ id: z.string(), name: z.string() }),
  /** The address at which the drill that keeps the world takes orders. */
  control: z.object({ url: z.url(), token: z.string().min(1) }).optional(),
});

export interface World extends Readonly<z.infer<typeof worldSchema>> {
  readonly file: string;
  /** The config that was deployed there, if the run kept it. */
  readonly configFile?: string;
}

const CONFIG_FILE = 'spillway.config.json';
/** In the directory of a run whose world is kept. */
export const WORLD_FILE = 'world.json';
const CONNECT_TIMEOUT_MS = 500;
/** More runs than this are not looked at; the newest come first. */
const MAX_RUNS = 200;

/** @throws UsageError */
export async function readWorld(path: string, directory: string): Promise<World> {
  const file = resolve(directory, path);
  let facts: z.infer<typeof worldSchema>;
  try {
    facts = worldSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new UsageError(
      `${file} does not describe a local world: run \`spillway drill --keep\`, which writes one.`,
      {
        cause,
      },
    );
  }
  const configFile = join(dirname(file), CONFIG_FILE);
  return { ...facts, file, ...(existsSync(configFile) ? { configFile } : {}) };
}

/** The one local world that answers. Two of them would be a guess. @throws UsageError */
export async function findWorld(root: string): Promise<World> {
  const runs = join(root, '.spillway', 'runs');
  const names = existsSync(runs) ? (await readdir(runs)).sort().reverse().slice(0, MAX_RUNS) : [];
  const files = names.map((name) => join(runs, name, WORLD_FILE)).filter((file) => existsSync(file));
  const worlds = await Promise.all(files.map((file) => readWorld(file, root).catch(() => undefined)));
  const alive = await Promise.all(
    worlds.map(async (world) => (world !== undefined && (await answers(world.localStackUrl)) ? [world] : [])),
  );
  const [first, ...others] = alive.flat();
  if (first === undefined) {
    throw new NoWorldError(
      `No local world is running under ${runs}: start one with \`spillway drill --keep\`.`,
    );
  }
  if (others.length > 0) {
    const list = [first, ...others].map(({ file }) => file).join(', ');
    throw new UsageError(`${others.length + 1} local worlds are running: name one with --world (${list}).`);
  }
  return first;
}

function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((done) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: CONNECT_TIMEOUT_MS });
    const end = (answered: boolean): void => {
      socket.destroy();
      done(answered);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
