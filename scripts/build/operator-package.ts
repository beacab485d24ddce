import project from '../../package.json' with { type: 'json' };
import { readImports } from '../architecture/graph.ts';

/** Packages that are loaded by path, so that no import names them. */
const unseen = ['aws-cdk', 'kinesis-local'] as const;
/** Packages of which the app and Spillway share one copy, the app's. */
const peers = ['aws-cdk-lib', 'constructs'] as const;

/**
 * `package.json` of spillway-cli: its dependencies are what the compiled code imports, in the versions that
 * the clone is tested with.
 */
export async function operatorManifest(): Promise<object> {
  const versions: Readonly<Record<string, string>> = { ...project.devDependencies, ...project.dependencies };
  const versionOf = (name: string): string => {
    const version = versions[name];
    if (version === undefined) throw new Error(`${name} is imported, and package.json does not have it.`);
    return version;
  };
  const { libraries } = await readImports(['bin', 'lib', 'lambda/core']);
  const isPeer = (name: string): boolean => (peers as readonly string[]).includes(name);
  const isOptional = (name: string): boolean => Object.hasOwn(project.peerDependencies, name);
  const names = [...new Set([...libraries, ...unseen])]
    .filter((name) => !isPeer(name) && !isOptional(name))
    .sort();
  const { version, license, engines } = project;
  return {
    name: 'spillway-cli',
    version,
    description: 'The command line of Spillway, its CDK construct, and drills on this machine.',
    license,
    type: 'module',
    engines,
    exports: {
      './bin': './bin/spillway.js',
      './cdk': { types: './lib/cdk/index.d.ts', default: './lib/cdk/index.js' },
      './package.json': './package.json',
    },
    dependencies: Object.fromEntries(names.map((name) => [name, versionOf(name)])),
    peerDependencies: Object.fromEntries(peers.map((name) => [name, `^${versionOf(name)}`])),
  };
}
