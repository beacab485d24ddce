const { App } = require('aws-cdk-lib');
const { Spillway } = require('spillway/cdk');

const app = new App({ outdir: 'cdk.cjs.out' });
new Spillway(app, 'Spillway', {
  config: {
    name: 'shop',
    zone: { id: 'Z0123456789ABCDEFGHIJ', name: 'shop.example.com' },
    cells: [{ name: 'orders', stream: { name: 'orders', existing: true } }],
  },
});
app.synth();
