import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { handlerDirectory, handlerFile, handlerNames } from '../../lib/constructs/handlers.ts';

/**
 * Bundles each function with what it imports, the SDK among it, pinned: Lambda's own changes under a function's feet. The
 * CDK runs this before each synth of a clone (`build` in cdk.json); a package has what was built with it.
 */
await rm(handlerDirectory(), { recursive: true, force: true });
await Promise.all(
  handlerNames.map((name) =>
    build({
      entryPoints: [fileURLToPath(new URL(`../../lambda/${name}/handler.ts`, import.meta.url))],
      outfile: handlerFile(name),
      bundle: true,
      minify: true,
      platform: 'node',
      format: 'cjs',
      target: 'node24',
      logLevel: 'warning',
    }),
  ),
);
