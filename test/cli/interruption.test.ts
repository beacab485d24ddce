import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

const module = fileURLToPath(new URL('../../lib/cli/interruption.ts', import.meta.url));

/** Takes its time for an orderly end: until the test closes its standard input. */
const program = `
  import { interruption } from '${module}';
  const { signal } = interruption(() => {});
  process.on('SIGINT', () => console.log('heard'));
  signal.addEventListener('abort', () => process.stdin.on('end', () => process.exit(7)).resume());
  setInterval(() => {}, 60_000);
  console.log('up');
`;

async function started() {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout });
  const line = once(lines, 'line');
  await line;
  return { child, lines, ended: once(child, 'exit') };
}

describe('Ctrl-C', () => {
  it('comes twice from npm, which passes on what its child has had already, and counts once', async () => {
    const { child, lines, ended } = await started();
    child.kill('SIGINT');
    await once(lines, 'line');
    child.kill('SIGINT');
    await Promise.race([once(lines, 'line'), ended]);
    child.stdin.end();
    expect((await ended)[0]).toBe(7);
  });

  it('ends everything at once when it is pressed again', async () => {
    const { child, lines, ended } = await started();
    child.kill('SIGINT');
    await once(lines, 'line');
    const again = setInterval(() => child.kill('SIGINT'), 100);
    expect((await ended)[0]).toBe(130);
    clearInterval(again);
  });
});
