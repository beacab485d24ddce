import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { NoCredentialsError } from '../../lib/credentials/errors.ts';
import { callFailure } from '../../lib/credentials/failure.ts';
import { type Identity, regionCredentials } from '../../lib/credentials/provider.ts';
import { type FakeAws, startFakeAws } from '../operate/fixtures/fake-aws.ts';

const identity: Identity = { accessKeyId: 'AKIA', secretAccessKey: 'x' };
const failure = (asked: Promise<unknown>) => asked.then(() => undefined, callFailure);

describe('the credentials of a region', () => {
  test('are asked for once, by however many at a time', async () => {
    const provide = vi.fn(async () => {
      await sleep(5);
      return identity;
    });
    const credentials = regionCredentials({ region: 'us-west-2', provide });
    expect(await Promise.all([credentials(), credentials(), credentials()])).toEqual(Array(3).fill(identity));
    expect(provide).toHaveBeenCalledOnce();
  });

  test('that could not be had are not asked for again at once: every call would wait as long', async () => {
    const provide = vi.fn(() => Promise.reject(new Error('no')));
    const credentials = regionCredentials({ region: 'us-west-2', provide });
    await expect(credentials()).rejects.toThrow(NoCredentialsError);
    await expect(credentials()).rejects.toThrow(NoCredentialsError);
    expect(provide).toHaveBeenCalledOnce();
  });

  test('have a time of their own, so that a slow provider is not taken for a silent region', async () => {
    const provide = () => new Promise<never>(() => {});
    const credentials = regionCredentials({ region: 'us-west-2', timeoutMs: 10, provide });
    expect(await failure(credentials())).toEqual({ kind: 'credentials', problem: 'provider-silent' });
  });

  test('of a profile that gives none name it', async () => {
    const provide = () => Promise.reject(new Error('Could not load credentials from any providers'));
    const credentials = regionCredentials({ region: 'us-west-2', profile: 'prodd', provide });
    expect(await failure(credentials())).toEqual({ kind: 'credentials', problem: 'no-such-profile' });
  });
});

describe('a profile that takes on a role', () => {
  let aws: FakeAws;
  let directory: string;

  beforeEach(async () => {
    aws = await startFakeAws();
    directory = await mkdtemp(join(tmpdir(), 'spillway-profile-'));
    const config = join(directory, 'config');
    const role = 'role_arn = arn:aws:iam::123456789012:role/oncall\nsource_profile = base';
    const keys = 'aws_access_key_id = AKIA\naws_secret_access_key = x';
    await writeFile(config, `[profile base]\n${keys}\n[profile prod]\n${role}\n`);
    vi.stubEnv('AWS_CONFIG_FILE', config);
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(directory, 'none'));
    vi.stubEnv('AWS_PROFILE', 'prod');
    vi.stubEnv('AWS_ENDPOINT_URL', aws.url);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await Promise.all([aws.close(), rm(directory, { recursive: true })]);
  });
  const asked = () => failure(regionCredentials({ region: 'us-west-2', profile: 'prod' })());

  test('asks STS of the region, and no other', async () => {
    aws.refuse = () => ({ code: 'ServiceUnavailable', status: 503 });
    await asked();
    expect(aws.calls.map(({ region, operation }) => `${region} ${operation}`)).toEqual([
      'us-west-2 AssumeRole',
    ]);
  });

  test('which STS of the region cannot give is the region, and no login problem', async () => {
    aws.refuse = () => ({ code: 'ServiceUnavailable', status: 503 });
    expect(await asked()).toEqual({ kind: 'silent' });
  });

  test('which STS of the region does not answer in time is the region, too', async () => {
    aws.blackHoles.add('us-west-2');
    expect(await asked()).toEqual({ kind: 'silent' });
  });

  test('that it may not take on is a login problem', async () => {
    aws.refuse = () => ({
      code: 'AccessDenied',
      message: 'not authorized to perform: sts:AssumeRole',
      status: 403,
    });
    expect(await asked()).toEqual({ kind: 'credentials', problem: 'role-refused' });
  });

  test('with keys that have expired is a login problem', async () => {
    aws.refuse = () => ({ code: 'ExpiredToken', status: 403 });
    expect(await asked()).toEqual({ kind: 'credentials', problem: 'expired' });
  });
});
