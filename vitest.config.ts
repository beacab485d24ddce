import { defineConfig } from 'vitest/config';

/** Tests wait more than they compute, for sockets, processes and time. */
const maxWorkers = 3;

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
        // Minutes of one simulation each: not a part of `npm test`, which has a slice of the same.
        test: { name: 'campaign', include: ['test/campaign/**/*.test.ts'], testTimeout: 300_000 },
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
          maxWorkers: 2,
          include: ['test/localstack/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          // A drill waits far more than it works: two fit two cores.
        },
      },
    ],
  },
});
