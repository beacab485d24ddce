import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(import.meta.url);

/** The sources run as they are: a clone. Else this code was compiled, and installed as a package. */
export const isClone = extname(here) === '.ts';

/** Root of the clone or of the installed package; both have the same folders below, but for what is not shipped. */
export const ownRoot: string = join(dirname(here), '../..');

/** A file of this project, by its path from the root: in a package a module is compiled, and ends in `.js`. */
export const ownFile = (path: string): string =>
  join(ownRoot, isClone ? path : path.replace(/(?<!\.d)\.ts$/, '.js'));

/** Where runs, logs and what is downloaded are kept (`.spillway/` below it): the clone, or where the command was started. */
export const workDirectory = (): string => (isClone ? ownRoot : process.cwd());
