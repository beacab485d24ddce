import { defineConfig } from './lib/config/define.ts';

/** What `npm run drill` deploys on this machine, and `npx cdk deploy --all` to an account. Make it yours. */
export default defineConfig({
  name: 'spillway',
  regions: { primary: 'us-east-1', standby: 'us-west-2', witnesses: ['us-east-2', 'eu-west-1'] },
  zone: { id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' },
  cells: [
    {
      name: 'orders',
      stream: { name: 'orders', existing: true },
      // Marked records in a stream of your own are your decision: its consumers see them (docs/envelope.md).
      probe: 'always',
      services: [{ name: 'api.orders', type: 'A', primary: '192.0.2.10', standby: '198.51.100.10' }],
    },
    { name: 'clicks', stream: { name: 'clicks', shards: 1 } },
  ],
});
