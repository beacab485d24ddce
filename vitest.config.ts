import { defineConfig } from 'vitest/config';

/** Three tiers, run in this order by `npm test`; each is its own project so that it can be run alone. */
export default defineConfig({
  test: {
    allowOnly: false,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/stacks/**', 'test/constructs/**', 'test/localstack/**'],
        },
      },
      {
        test: {
          name: 'synth',
          include: ['test/stacks/**/*.test.ts', 'test/constructs/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'localstack',
          include: ['test/localstack/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
