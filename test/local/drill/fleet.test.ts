import { describe, expect, it } from 'vitest';
import { producerEnvironment } from '../../../lib/local/drill/fleet.ts';

describe('the environment of a producer', () => {
  it('has neither an account of the user nor a region that he has pinned', () => {
    const ambient = {
      PATH: '/bin',
      AWS_PROFILE: 'production',
      AWS_SESSION_TOKEN: 'real',
      SPILLWAY_REGION: 'us-west-2',
    };
    expect(producerEnvironment(ambient, 'us-east-1')).toEqual({
      PATH: '/bin',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: 'us-east-1',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    });
  });
});
