import { execFile } from 'node:child_process';
import { expect, it } from 'vitest';

/** Imports the producer on a Node that says it is of that version. */
function importOn(version: string): Promise<{ readonly status: unknown; readonly said: string }> {
  const script = `
    Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });
    import('./lib/producer/index.ts').then(() => {}, (error) => { console.error(error.message); process.exit(3); });
  `;
  return new Promise((resolve) => {
    execFile(process.execPath, ['--eval', script], (error, _out, said) =>
      resolve({ status: error?.code ?? 0, said: said.trim() }),
    );
  });
}

it.each(['20.20.2', '22.17.1', '8.0.0'])(
  'on Node %s the producer says in one sentence what it needs',
  async (version) => {
    expect(await importOn(version)).toEqual({
      status: 3,
      said: `Spillway needs Node.js 22.18 or later, and this is ${version}: install a newer one.`,
    });
  },
);

it.each(['22.18.0', '24.0.0'])('on Node %s it says nothing', async (version) => {
  expect(await importOn(version)).toEqual({ status: 0, said: '' });
});
