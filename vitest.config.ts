import { defineConfig } from 'vitest/config';

/** Tests wait more than they compute, for sockets, processes and time. */
const maxWorkers = 3;

/** Drills beside the one that `npm test` plays. */
const longDrills = ['test/localstack/drill-blackout.test.ts', 'test/localstack/drill-hold.test.ts'];

/** Three tiers, run in this order by `npm test`; each is its own project so that it can be run alone. */
export default defineConfig({
  test: {
    allowOnly: false,
    projects: [
      {
        test: {
          name: 'unit',
          maxWorkers,
          // A busy machine is no reason to fail.
          testTimeout: 20_000,
          include: ['test/**/*.test.ts'],
          exclude: ['test/stacks/**', 'test/constructs/**', 'test/localstack/**', 'test/campaign/**'],
        },
      },
      {
        // Minutes each, and not a part of `npm test`, which has a slice of the same: `npm run test:campaign`.
        test: {
          name: 'campaign',
          maxWorkers: 1,
          include: ['test/campaign/**/*.test.ts', ...longDrills],
          testTimeout: 400_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'synth',
          maxWorkers,
          include: ['test/stacks/**/*.test.ts', 'test/constructs/**/*.test.ts'],
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
