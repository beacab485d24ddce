import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Tests wait more than they compute, for sockets, processes and time. */
const maxWorkers = 3;

// Node keeps compiled code for the many command lines that tests start, and for the workers.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url));

/**
 * Test files of one worker share its process, so that the SDK and the CDK are loaded once. A file gives back what it
 * changes of the process; `test/shared-process.ts` sees to the environment, clocks and globals.
 */
const sharedProcess = { isolate: false, setupFiles: ['test/shared-process.ts'] };

/** What these test has real sockets, processes or disks, and waits for them. */
const system = [
  'aggregate/java',
  'aggregate/python',
  'cli',
  'conductor',
  'consumers/java',
  'consumer/dynamo',
  'crash',
  'drain',
  'endpoint',
  'live-drill',
  'local',
  'producer',
  'programs',
  'resolver',
  'sidecar',
  'stranded',
  'switch',
  'vote',
].map((folder) => `test/${folder}/**/*.test.ts`);

/** Drills beside the one that `npm test` plays, and deployments by the real CDK, one after the other. */
const longDrills = ['drill-blackout', 'drill-flood', 'drill-hold', 'drill-one-stream', 'deploy-stages'].map(
  (name) => `test/localstack/${name}.test.ts`,
);

/** Files that take long begin first, in this order: else one of them is alone at the end. By default the largest do. */
const longest = [
  '/localstack/drill.test.ts',
  '/localstack/upgrade.test.ts',
  '/localstack/conductor.test.ts',
  '/producer/congestion.test.ts',
  '/wire/transports.test.ts',
  '/sidecar/clients.test.ts',
  '/localstack/runtime.test.ts',
  '/localstack/drill-interrupted.test.ts',
  '/localstack/deploy-failure.test.ts',
  '/localstack/endpoints.test.ts',
  '/stacks/cfn-lint.test.ts',
  '/cli/credentials.test.ts',
  '/cli/simulate.test.ts',
];
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification): number => {
      const rank = longest.findIndex((end) => moduleId.endsWith(end));
      return rank === -1 ? longest.length : rank;
    };
    return (await super.sort(files)).toSorted((a, b) => rankOf(a) - rankOf(b));
  }
}

/**
 * Tiers, each a project so that it can be run alone. `npm test` runs all but the campaign, and `localstack` by itself at the
 * end: a drill needs the machine.
 */
export default defineConfig({
  test: {
    allowOnly: false,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          ...sharedProcess,
          maxWorkers,
          // A busy machine is no reason to fail.
          testTimeout: 20_000,
          include: ['test/**/*.test.ts'],
          exclude: [...system, 'test/{stacks,cdk,localstack,campaign}/**'],
        },
      },
      {
        test: {
          name: 'system',
          ...sharedProcess,
          maxWorkers,
          testTimeout: 20_000,
          include: system,
        },
      },
      {
        // Minutes each, and not a part of `npm test`, which has a slice of the same: `npm run test:campaign`.
        test: {
          name: 'campaign',
          maxWorkers: 1,
          include: ['test/campaign/**/*.test.ts', 'test/localstack/conductor.test.ts', ...longDrills],
          env: { SPILLWAY_TEST_GROUPS: '1000' },
          testTimeout: 400_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'synth',
          ...sharedProcess,
          maxWorkers,
          // The CDK's own check of templates takes half of a synthesis; one test asks for it.
          env: { CDK_VALIDATION: 'false' },
          include: ['test/stacks/**/*.test.ts', 'test/cdk/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'localstack',
          maxWorkers,
          include: ['test/localstack/**/*.test.ts'],
          exclude: longDrills,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
