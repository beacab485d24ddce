import { afterEach, describe, expect, it, vi } from 'vitest';
import type { StrandedDocument } from '../../lib/stranded/document.ts';
import { putAll } from '../drain/fixtures/kinesis.ts';
import { numbered } from '../drain/fixtures/world.ts';
import { type StrandedWorld, strandedWorld } from './cli-world.ts';

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

let world: StrandedWorld;
afterEach(() => world.close());

describe('spillway stranded', () => {
  it('says what the old stream holds, until when, and the command that copies it', async () => {
    world = await strandedWorld([{ kind: 'lambda', function: 'indexer' }]);
    world.move();
    await putAll(world.east, world.stream, numbered(0, 12));
    const { exit, json, err } = await world.run('stranded --cells orders --json');
    const document = json as StrandedDocument;
    expect(exit).toBe(4);
    expect(document).toMatchObject({ ok: false, name: 'stranded', region: 'us-east-1' });
    expect(document.cells).toMatchObject([
      {
        ...{ cell: 'orders', stream: world.stream, moved: true, records: 12, complete: true, drained: null },
        consumers: [{ kind: 'lambda', name: 'indexer', exact: false, from: { by: 'evacuation' } }],
      },
    ]);
    expect(document.cells[0]?.hoursLeft).toBeCloseTo(24, 1);
    expect(document.cells[0]).toMatchObject({ atMost: true, consumers: [{ atMost: true }] });
    expect([document.first, document.next]).toEqual([
      'spillway consumers --cells orders',
      'spillway drain --cells orders',
    ]);
    expect(document.findings.map(({ text }) => text).join('\n')).toMatch(
      /Lambda function indexer may have read fewer or all.*reads on by itself if it is enabled/,
    );
    expect(err).toMatch(/1 of 1 shards counted/);
    const screen = await world.run('stranded --cells orders --since 1h');
    expect(screen.exit).toBe(4);
    expect(screen.out).toMatch(
      /^orders {2}orders-.* in us-east-1: 12 records, \d+ B, the oldest for 24 h more/,
    );
    expect(screen.out).toMatch(/Lambda function indexer {2}at most 12, 14 B/);
    expect(screen.out).toMatch(/spillway consumers .*\n.*spillway drain --cells orders --since 20/);
  });

  it('is well where traffic never moved and where a drain has copied it', async () => {
    world = await strandedWorld();
    world.move();
    // Nobody knows where its reader stands: that nothing came since is no proof.
    const empty = await world.run('stranded --json');
    expect([empty.exit, empty.json]).toMatchObject([4, { ok: false, next: null }]);
    world.state.delete('switch#orders');
    await putAll(world.east, world.stream, numbered(0, 3));
    const healthy = await world.run('stranded --json');
    expect([healthy.exit, healthy.json]).toMatchObject([
      0,
      { ok: true, next: null, findings: [{ text: expect.stringMatching(/traffic is in us-east-1/) }] },
    ]);
    world.move(4);
    const mark = (toMs: number) =>
      world.state.set('drained#orders', {
        ...{ pk: { S: 'drained' }, sk: { S: 'orders' }, epoch: { N: '4' }, atMs: { N: '1790000000000' } },
        window: { M: { fromMs: { N: '1' }, toMs: { N: `${toMs}` } } },
      });
    mark(Date.now() + 1_000);
    const drained = await world.run('stranded');
    expect(drained.exit).toBe(0);
    expect(drained.out).toMatch(/copied by a drain on 2026-.* of epoch 4/);
    // What came after what the drain copied is stranded all the same.
    mark(Date.now() - 3_600_000);
    expect((await world.run('stranded')).exit).toBe(4);
  });

  it('is nothing where nothing reads the cell', async () => {
    world = await strandedWorld([]);
    world.move();
    await putAll(world.east, world.stream, numbered(0, 3));
    const { exit, json } = await world.run('stranded --json');
    expect([exit, json]).toMatchObject([
      0,
      {
        ...{ ok: true, next: null, cells: [{ records: 0, consumers: [] }] },
        findings: [{ level: 'note', text: expect.stringMatching(/nothing reads this cell/) }],
      },
    ]);
  });

  it('does not know while the region fails, and says so within its time', async () => {
    world = await strandedWorld();
    world.move();
    await putAll(world.east, world.stream, numbered(0, 3));
    world.tap.before = ({ operation }) => (operation === 'GetRecords' ? 'hang' : 'pass');
    const startedMs = performance.now();
    const { exit, json } = await world.run('stranded --within 2s --json');
    expect(exit).toBe(4);
    expect(json).toMatchObject({ ok: false, next: null, cells: [{ complete: false, records: 0 }] });
    expect((json as StrandedDocument).findings[0]).toMatchObject({
      ...{ level: 'unknown', text: expect.stringMatching(/more records than were counted in .*\(time\)/) },
    });
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });

  it.each([
    ['stranded --cells nowhere', /There is no cell nowhere/],
    ['stranded --region eu-west-1', /no streams in eu-west-1/],
    ['stranded --since yesterday', /time with its zone/],
    ['stranded --since 2099-01-01T00:00Z', /in the future/],
  ])('refuses %s', async (line, words) => {
    world = await strandedWorld();
    const { exit, err } = await world.run(line);
    expect(exit).toBe(2);
    expect(err).toMatch(words);
  });
});
