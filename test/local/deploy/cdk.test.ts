import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { cdkEnvironment } from '../../../lib/local/deploy/cdk.ts';

describe('the environment of the CDK', () => {
  const ambient = {
    PATH: '/usr/bin',
    LANG: 'C.UTF-8',
    AWS_PROFILE: 'production',
    AWS_SESSION_TOKEN: 'real',
    CDK_NEW_BOOTSTRAP: '1',
    HTTPS_PROXY: 'http://proxy.test',
    all_proxy: 'http://proxy.test',
  };
  const environment = cdkEnvironment(ambient, 'http://127.0.0.1:4566');

  it("has nothing of the user's account or proxy", () => {
    expect(environment).not.toHaveProperty('AWS_PROFILE');
    expect(environment).not.toHaveProperty('AWS_SESSION_TOKEN');
    expect(environment).not.toHaveProperty('CDK_NEW_BOOTSTRAP');
    expect(environment).not.toHaveProperty('HTTPS_PROXY');
    expect(environment).not.toHaveProperty('all_proxy');
    expect(environment).toMatchObject({
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    });
  });

  it('points every service at LocalStack and runs the app on this Node', () => {
    expect(environment).toMatchObject({
      LANG: 'C.UTF-8',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:4566',
      CDK_DEFAULT_ACCOUNT: '000000000000',
      PATH: `${path.dirname(process.execPath)}:/usr/bin`,
    });
  });
});
