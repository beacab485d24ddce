import type { IConfiguration } from 'dependency-cruiser';

/** The folders that applications install. */
const shipped = '^lib/(producer|consumer|aggregate|envelope|resolver)/';

/**
 * The layers: entries (`bin/`, the handlers in `lambda/<function>/`) call `lib`, and `lib` calls `lambda/core`. Checked by
 * `npm run lint`; `docs/architecture.md` is drawn from the same graph.
 */
export const layers = {
  forbidden: [
    {
      name: 'no-cycles',
      comment:
        'A module can be read, tested and moved without the modules that use it. Imports of types count: they tie modules together as well.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'entries-are-called-by-nobody',
      comment:
        'An entry wires things together for one process. What another part needs from an entry belongs in lib.',
      severity: 'error',
      from: { path: '^(bin|lib|scripts)/|^lambda/core/' },
      to: { path: '^bin/|^lambda/(?!core/)' },
    },
    {
      name: 'functions-apart',
      comment: 'Each function is deployed alone, so no handler reaches into the folder of another.',
      severity: 'error',
      from: { path: '^lambda/(?!core/)([^/]+)/' },
      to: { path: '^lambda/(?!core/)[^/]+/', pathNot: '^lambda/$1/' },
    },
    {
      name: 'core-is-pure',
      comment:
        'The same core runs in Lambda, in the simulator and in the drill: no SDK, clock, randomness or I/O.',
      severity: 'error',
      from: { path: '^lambda/core/' },
      to: { pathNot: '^lambda/core/|^node_modules/zod/' },
    },
    {
      name: 'shipped-code-stands-alone',
      comment:
        'Applications install the producer and the consumer: nothing else of Spillway comes with them.',
      severity: 'error',
      from: { path: shipped },
      to: { path: '^(bin|lib|lambda|scripts|test)/', pathNot: `${shipped}|^lambda/core/` },
    },
    {
      name: 'nothing-calls-the-command-line',
      comment:
        'Verbs print and set exit codes. What they do is in lib/operate, lib/local, lib/simulator and the like.',
      severity: 'error',
      from: { path: '^(lib|lambda)/', pathNot: '^lib/cli/' },
      to: { path: '^lib/cli/' },
    },
    {
      name: 'the-local-world-is-not-deployed',
      comment:
        'LocalStack, the fault proxy and the drill on this machine are tools: functions and operators do not need them.',
      severity: 'error',
      from: { path: '^(lib|lambda)/', pathNot: '^lib/(local|cli)/' },
      to: { path: '^lib/local/' },
    },
    {
      name: 'the-cdk-only-where-stacks-are-made',
      comment: 'The CDK takes a second to load and 200 MB of disk: commands and functions do not need it.',
      severity: 'error',
      from: { path: '^(lib|lambda)/', pathNot: '^lib/(cdk|stacks|constructs|local/consumers)/' },
      to: { path: '^node_modules/(aws-cdk-lib|constructs)/' },
    },
    {
      name: 'no-tests-in-the-product',
      comment: 'Tests and scripts are not published.',
      severity: 'error',
      from: { path: '^(bin|lib|lambda)/' },
      to: { path: '^(test|scripts)/' },
    },
    {
      name: 'shipped-code-brings-what-it-needs',
      comment:
        'Code that applications import may need only the `dependencies` of package.json, and do without its optional peers. Other packages belong to spillway-cli, or are tools.',
      severity: 'error',
      from: { path: shipped },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only', 'npm-peer'],
      },
    },
    {
      name: 'no-tools-in-the-product',
      comment: 'Tools that test, build or check are installed in a clone alone.',
      severity: 'error',
      from: { path: '^(bin|lib|lambda)/' },
      to: {
        path: '^node_modules/(vitest|fast-check|aws-kinesis-agg|@cloud-copilot|esbuild|typescript|@biomejs|@swc|cdk-nag|dependency-cruiser|publint|@arethetypeswrong|@opentelemetry/(?!api/))',
      },
    },
    {
      name: 'nothing-unresolved',
      comment: 'An import that leads nowhere fails only when it runs.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    // Files that run, or are copied to, where the packages are installed.
    exclude: { path: '^scripts/(pack-check/try|build/light)/' },
    doNotFollow: { path: '^node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types'] },
  },
} as const satisfies IConfiguration;
