import { describe, expect, it } from 'vitest';
import { stacksOf } from '../../../lib/local/deploy/deploy.ts';

describe('the stacks of a cloud assembly', () => {
  it('are its CloudFormation stacks, by their deployed names, with their regions', () => {
    const manifest = {
      version: '50.0.0',
      artifacts: {
        Tree: { type: 'cdk:tree', properties: { file: 'tree.json' } },
        Primary: {
          type: 'aws:cloudformation:stack',
          environment: 'aws://000000000000/us-east-1',
          properties: { templateFile: 'Primary.template.json', stackName: 'spillway-primary' },
        },
        Standby: {
          type: 'aws:cloudformation:stack',
          environment: 'aws://000000000000/us-west-2',
          properties: {},
        },
      },
    };
    expect(stacksOf(manifest)).toEqual([
      { name: 'spillway-primary', region: 'us-east-1' },
      { name: 'Standby', region: 'us-west-2' },
    ]);
  });
});
