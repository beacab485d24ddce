import { dirname } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { layers } from './rules.ts';

export type Violations = ICruiseResult['summary']['violations'];

export interface ImportGraph {
  readonly violations: Violations;
  /** Folders that a folder imports from, of this project alone; every folder with code has an entry. */
  readonly imports: ReadonlyMap<string, ReadonlySet<string>>;
  /** Packages that are imported for more than their types. */
  readonly libraries: ReadonlySet<string>;
}

/**
 * Reads the imports of these folders, including imports of types, and judges them by the rules of the layers.
 */
export async function readImports(roots: readonly string[], baseDir = process.cwd()): Promise<ImportGraph> {
  const { output } = await cruise([...roots], {
    ...layers.options,
    baseDir,
    validate: true,
    ruleSet: { forbidden: [...layers.forbidden] },
  });
  if (typeof output === 'string') throw new Error('dependency-cruiser returned a text instead of a graph.');
  const imports = new Map<string, Set<string>>();
  const libraries = new Set<string>();
  for (const { source, dependencies } of output.modules) {
    if (!isOwn(source)) continue;
    const from = dirname(source);
    const folders = imports.get(from) ?? new Set<string>();
    imports.set(from, folders);
    for (const { resolved, module, dependencyTypes } of dependencies) {
      if (/(^|\/)node_modules\//.test(resolved) && !dependencyTypes.includes('type-only')) {
        libraries.add(packageOf(module));
      }
      if (isOwn(resolved) && dirname(resolved) !== from) folders.add(dirname(resolved));
    }
  }
  return { violations: output.summary.violations, imports, libraries };
}

/** `@aws-sdk/lib-dynamodb` of `@aws-sdk/lib-dynamodb/dist-es/x`. */
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

const isOwn = (path: string): boolean => /^(bin|lib|lambda|scripts)\/.*\.ts$/.test(path);
