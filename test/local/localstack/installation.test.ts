import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { explain, LOCK_FILES, uvEnvironment } from '../../../lib/local/localstack/installation.ts';

describe('a failed installation is explained in one sentence', () => {
  it.each([
    ['Error: No module named venv', /venv module is missing.*python3-venv/],
    [
      'The virtual environment was not created successfully because ensurepip is not available.',
      /python3-venv/,
    ],
    ['OSError: [Errno 28] No space left on device', /disk is full/],
    ['Temporary failure in name resolution', /registry cannot be reached/],
    ['ERROR: No matching distribution found for uv==0.10.0', /registry cannot be reached/],
    ['THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE', /not the one that was locked/],
    ['some lines\nerror: something new', /: error: something new$/],
  ])('%s', (output, sentence) => {
    expect(explain(output)).toMatch(sentence);
    expect(explain(output)).not.toContain('\n');
  });
});

describe("pip's settings for uv", () => {
  it('are translated where uv has the same one, and otherwise left out', () => {
    const listed = [
      "global.index-url='https://user:secret@example.test/simple'",
      "install.trusted-host='example.test'",
      ":env:.extra-index-url='https://one.test/simple\\nhttps://two.test/simple'",
      ":env:.cert='/etc/certificates.pem'",
      ":env:.default-timeout='180'",
      "list.format='columns'",
    ].join('\n');
    expect(uvEnvironment(listed)).toEqual({
      UV_DEFAULT_INDEX: 'https://user:secret@example.test/simple',
      UV_INSECURE_HOST: 'example.test',
      UV_INDEX: 'https://one.test/simple https://two.test/simple',
      SSL_CERT_FILE: '/etc/certificates.pem',
    });
  });

  it('are none when pip has none', () => {
    expect(uvEnvironment('')).toEqual({});
  });
});

describe('the lock files', () => {
  it.each(LOCK_FILES)(
    '%s pins every package to a version with hashes and names no registry',
    async (file) => {
      const lock = await readFile(file, 'utf8');
      const packages = lock.split(/\n(?=[a-z0-9])/i).filter((entry) => !entry.startsWith('#'));
      expect(packages.length).toBeGreaterThan(0);
      for (const entry of packages)
        expect(entry).toMatch(/^[\w.-]+==\S+ (; .* )?\\\n +--hash=sha256:[0-9a-f]{64}/);
      expect(lock).not.toMatch(/:\/\/|file:|--index|--find-links/);
    },
  );
});
