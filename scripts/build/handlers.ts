import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import {
  drillConsumerFile,
  handlerDirectory,
  handlerFile,
  handlerNames,
} from '../../lib/constructs/handlers.ts';

/**
 * Bundles each function with what it imports, including a pinned SDK, because Lambda's own SDK changes
 * without notice. In a clone this runs before the app (`app` in cdk.json); a package contains its bundles.
 * Several synths may run at the same time, so an unchanged bundle stays, and a changed bundle replaces it in
 * one step.
 */
const entries = [
  ...handlerNames.map((name) => ({ entry: `lambda/${name}/handler.ts`, outfile: handlerFile(name) })),
  { entry: 'lib/local/consumers/handler.ts', outfile: drillConsumerFile },
];
await Promise.all(
  entries.map(async ({ entry, outfile }) => {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL(`../../${entry}`, import.meta.url))],
      outfile,
      write: false,
      bundle: true,
      minify: true,
      // A peer that the producer does without; its functions tell CloudWatch.
      external: ['@opentelemetry/api'],
      platform: 'node',
      format: 'cjs',
      target: 'node24',
      logLevel: 'warning',
    });
    for (const { path, contents } of outputFiles) await replace(path, contents);
  }),
);

async function replace(path: string, contents: Uint8Array): Promise<void> {
  const before = await readFile(path).catch(() => undefined);
  if (before?.equals(contents)) return;
  await mkdir(dirname(path), { recursive: true });
  // Not beside the bundle, because the CDK takes that whole directory.
  const next = join(handlerDirectory, `.${randomUUID()}`);
  await writeFile(next, contents);
  await rename(next, path);
}
