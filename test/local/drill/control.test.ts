import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { askWorld } from '../../../lib/local/drill/control-client.ts';
import { type ControlServer, startControlServer } from '../../../lib/local/drill/control-server.ts';

let server: ControlServer;
let asked: string[];
beforeEach(async () => {
  asked = [];
  server = await startControlServer({
    '/faults/end': (by) => {
      asked.push(by);
      return { atMs: 7 };
    },
  });
});
afterEach(() => server.close());

const schema = z.object({ atMs: z.number() });
const ask = (control: { url: string; token: string } | undefined, path = '/faults/end') =>
  askWorld(
    { file: 'world.json', ...(control === undefined ? {} : { control }) },
    { path, by: 'ana', schema },
  );

interface Raw {
  readonly method?: string;
  readonly path?: string;
  readonly token?: string;
  readonly body?: string;
}

function raw({ method = 'POST', path = '/faults/end', token = server.token, body = '' }: Raw) {
  const headers = token === '' ? {} : { authorization: `Bearer ${token}` };
  return new Promise<{ status: number; said: string }>((resolve, reject) => {
    const sent = request(new URL(path, server.url), { method, headers, agent: false }, async (answer) =>
      resolve({ status: answer.statusCode ?? 0, said: await text(answer) }),
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

describe('the control address of a kept world', () => {
  it('does what is asked with its token, and answers what it did', async () => {
    expect(await ask(server)).toEqual({ atMs: 7 });
    expect(asked).toEqual(['ana']);
    expect(new URL(server.url).hostname).toBe('127.0.0.1');
    expect(server.token.length).toBeGreaterThan(40);
  });

  const good = JSON.stringify({ by: 'ana' });
  it.each([
    ['no token', { token: '', body: good }, 401],
    ['another token', { token: 'guessed', body: good }, 401],
    ['no act', { path: '/faults', body: good }, 404],
    ['another method', { method: 'GET' }, 405],
    ['no body', {}, 400],
    ['no JSON', { body: '{' }, 400],
    ['nobody', { body: '{"by": " "}' }, 400],
    ['a name that moves the cursor', { body: JSON.stringify({ by: 'ana\u001b[2J' }) }, 400],
    ['a field that nobody knows', { body: '{"by": "ana", "all": true}' }, 400],
    ['a body without end', { body: ' '.repeat(10_000) }, 413],
  ])('refuses %s, and does nothing', async (_, call, status) => {
    const answer = await raw(call);
    expect(answer.status).toBe(status);
    expect(answer.said).not.toContain(server.token);
    expect(asked).toEqual([]);
  });

  it('is said to be gone, or not there at all, in words that help', async () => {
    await expect(ask({ ...server, token: 'old' })).rejects.toThrow(/does not answer .*401/);
    await server.close();
    await expect(ask(server)).rejects.toThrow(
      /world.json does not answer .*check whether that drill still runs/,
    );
    await expect(ask(undefined)).rejects.toThrow(/names no control address/);
  });
});
