#!/usr/bin/env node
// The first two steps end with a sentence, not with a stack trace.
await step(
  () => import('../lib/producer/supported-node.js'),
  ({ message }) => message,
);
await step(
  () => import.meta.resolve('spillway-cli/bin'),
  () => 'The command line is a package of its own: npm install --save-dev spillway-cli',
);
await import('spillway-cli/bin');

async function step(run, sentenceOf) {
  try {
    await run();
  } catch (error) {
    process.stderr.write(`error ${sentenceOf(error)}\n`);
    process.exit(1);
  }
}
