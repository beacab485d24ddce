export * from 'spillway-cli/cdk';
