import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RequestFacts } from '../../lib/scenario/request-facts.ts';
import { type FakeAws, type Refusal, startFakeAws, tableOf } from '../operate/fixtures/fake-aws.ts';
import { configInput } from '../operate/fixtures/readings.ts';
import { type SignalServer, startSignalServer } from '../producer/signal-server.ts';
import { type Shell, startShell } from './fixtures/cli.ts';

let aws: FakeAws;
let dns: SignalServer;
let shell: Shell;

beforeEach(async () => {
  [aws, dns] = await Promise.all([startFakeAws(), startSignalServer('v=1; region=us-east-1; stream=orders')]);
  shell = await startShell({ SPILLWAY_DNS_SERVERS: dns.address });
  vi.stubEnv('AWS_ENDPOINT_URL', aws.url);
  vi.stubEnv('HOME', shell.directory);
  vi.stubEnv('AWS_CONFIG_FILE', join(shell.directory, 'aws-config'));
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(shell.directory, 'aws-credentials'));
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_PROFILE', '');
  keys();
  for (const region of observers) vote(region);
  const cells = [...configInput.cells, { name: 'drill', stream: { name: 'drill', existing: true } }];
  const drilling = { ...configInput, cells, drill: { cell: 'drill' } };
  await writeFile(join(shell.directory, 'drilling.json'), JSON.stringify(drilling));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all([aws.close(), dns.close(), shell.close()]);
});

const observers = ['us-west-2', 'us-east-2', 'eu-west-1'];
const ana = 'arn:aws:sts::123456789012:assumed-role/oncall/ana';
const invalid = 'The security token included in the request is invalid.';

function keys(id = 'test'): void {
  vi.stubEnv('AWS_ACCESS_KEY_ID', id);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', id);
}

function vote(region: string): void {
  const nowMs = Date.now();
  tableOf(aws, `${region}/shop-vote`).set('observer#undefined', {
    pk: { S: 'observer' },
    vote: { S: 'HOLD' },
    diagnosis: { S: 'Healthy' },
    phase: { S: 'steady' },
    comment: { S: 'the primary is healthy' },
    decidedAtMs: { N: String(nowMs - 1_000) },
    expiresAtMs: { N: String(nowMs + 600_000) },
    voteSinceMs: { N: String(nowMs - 20_000) },
    epoch: { N: '1' },
    refusals: { L: [] },
  });
}

/** A session that has ended, as `aws sso login` leaves it. */
async function endedSession(): Promise<void> {
  const session = 'sso_session = corp\nsso_account_id = 123456789012\nsso_role_name = oncall';
  const portal = 'sso_start_url = https://corp.example.com\nsso_region = us-east-2';
  await writeFile(
    join(shell.directory, 'aws-config'),
    `[profile prod]\n${session}\n[sso-session corp]\n${portal}\n`,
  );
  const cache = join(shell.directory, '.aws', 'sso', 'cache');
  await mkdir(cache, { recursive: true });
  const name = createHash('sha1').update('corp').digest('hex');
  const token = { accessToken: 'x', expiresAt: '2026-11-20T00:00:00Z' };
  await writeFile(join(cache, `${name}.json`), JSON.stringify(token));
}

const everywhere = (code: string, message?: string) => () => {
  aws.refuse = () => ({ code, ...(message === undefined ? {} : { message }) });
};
const denial = ({ service, operation, region }: RequestFacts): Refusal => ({
  code: 'AccessDeniedException',
  message: `User: ${ana} is not authorized to perform: ${service}:${operation} on resource: arn:aws:dynamodb:${region}:123456789012:table/shop because no identity-based policy allows the ${service}:${operation} action`,
});
const onTables =
  (refuse: (facts: RequestFacts) => Refusal) =>
  (facts: RequestFacts): Refusal | undefined =>
    ['dynamodb', 'logs'].includes(facts.service) ? refuse(facts) : undefined;

interface Situation {
  readonly problem: string;
  readonly fix: RegExp;
  readonly set: () => void | Promise<void>;
}

const situations: readonly (readonly [string, Situation])[] = [
  [
    'no credentials at all',
    { problem: 'none', fix: /^Log in \(aws sso login --profile NAME\)/, set: () => keys('') },
  ],
  [
    'an expired token',
    { problem: 'expired', fix: /^Unset AWS_ACCESS_KEY_ID/, set: everywhere('ExpiredTokenException') },
  ],
  [
    'a key that nobody knows',
    {
      problem: 'unknown-key',
      fix: /^Correct AWS_ACCESS_KEY_ID/,
      set: everywhere('UnrecognizedClientException', invalid),
    },
  ],
  [
    'a wrong secret',
    {
      problem: 'wrong-secret',
      fix: /^Correct AWS_ACCESS_KEY_ID/,
      set: everywhere('InvalidSignatureException'),
    },
  ],
  [
    'a clock that is wrong',
    {
      problem: 'clock',
      fix: /^Set the clock/,
      set: everywhere(
        'InvalidSignatureException',
        'Signature expired: 20261125T020000Z is now earlier than …',
      ),
    },
  ],
  [
    'an SSO session that has ended',
    {
      problem: 'sso-expired',
      fix: /^aws sso login --profile prod$/,
      set: async () => {
        await endedSession();
        vi.stubEnv('AWS_PROFILE', 'prod');
        keys('');
      },
    },
  ],
  [
    'a profile that does not exist',
    {
      problem: 'no-such-profile',
      fix: /^Set AWS_PROFILE \(now "prodd"\)/,
      set: () => {
        vi.stubEnv('AWS_PROFILE', 'prodd');
        keys('');
      },
    },
  ],
  [
    'an account without the deployment',
    {
      problem: 'not-deployed',
      fix: /^Set AWS_PROFILE to the account of the deployment/,
      set: () => {
        aws.refuse = onTables(() => ({
          code: 'ResourceNotFoundException',
          message: 'Requested resource not found',
        }));
      },
    },
  ],
  [
    'a role without rights',
    {
      problem: 'no-rights',
      fix: /^Set AWS_PROFILE to a role with the rights/,
      set: () => {
        aws.refuse = onTables(denial);
      },
    },
  ],
];

interface Shown {
  readonly ok: boolean;
  readonly credentials: { readonly ok: boolean | null; readonly problem?: string; readonly fix: string };
  readonly cells: readonly { readonly region: string | null; readonly switch: string }[];
  readonly observers: readonly { readonly region: string; readonly answered: boolean | null }[];
  readonly findings: readonly { readonly level: string; readonly text: string; readonly run?: string }[];
}

const writes = () => aws.calls.filter(({ operation }) => /^(Put|Update|Delete|Start)/.test(operation));

describe.each(situations)('with %s', (_name, { problem, fix, set }) => {
  beforeEach(set);

  test('status says so once, with what to do; DNS is told, and nothing that nobody can know', async () => {
    const { exit, json } = await shell.run('status --json');
    const shown = json as Shown;
    expect(exit).toBe(4);
    expect(shown).toMatchObject({
      ok: false,
      credentials: { ok: false, problem, fix: expect.stringMatching(fix) },
    });
    expect(shown.cells.map(({ region }) => region)).toEqual(['us-east-1', 'us-east-1']);
    expect(shown.cells.map((cell) => cell.switch)).toEqual(['unknown', 'unknown']);
    expect(shown.observers.map(({ answered }) => answered)).toEqual([null, null, null]);
    const unknown = {
      overrides: null,
      lease: null,
      epoch: null,
      lastDrill: null,
      lastAck: null,
      control: null,
      failback: null,
    };
    expect(shown).toMatchObject({ ...unknown, mode: 'unknown', quorum: { region: 'us-east-1' } });
    expect(shown.findings).toMatchObject([{ level: 'unknown', run: expect.stringMatching(fix) }]);
  });

  test('the screen of status says no more either, also where it is narrow', async () => {
    const { out } = await shell.run('status', { columns: 60 });
    expect(out).toMatch(/^shop NOT KNOWN/);
    expect(out).toMatch(/^\? your credentials:\s/m);
    expect(out).toMatch(/^orders +us-east-1 +unknown/m);
    expect(out).not.toMatch(/\d of \d|pause|no override|failover|failback|free|no answer|none recorded/);
    const rows = out.split('\n').filter((line) => /^(us|eu|orders|clicks|mode|epoch|last)/.test(line));
    expect(rows.length).toBeGreaterThan(6);
    expect(Math.max(...rows.map(({ length }) => length))).toBeLessThanOrEqual(60);
  });

  test('doctor finds that, and nothing else', async () => {
    const { exit, json } = await shell.run('doctor --json');
    expect(exit).toBe(4);
    const found = [{ check: 'credentials', ok: false, fix: expect.stringMatching(fix) }];
    expect(json).toMatchObject({ ok: false, findings: found });
    expect((json as { findings: unknown[] }).findings).toHaveLength(1);
  });

  test('why tells what DNS says, and does not call it an outage', async () => {
    const { exit, out } = await shell.run('why');
    expect(exit).toBe(4);
    expect(out).toMatch(/^\? Your credentials: /);
    expect(out).toMatch(/the votes are not known/);
    expect(out).not.toMatch(/does not answer|0 of 3|HOLD/);
  });

  test.each([
    'failover --all --reason test --yes',
    'failover --all --direct --force --reason test --yes',
    'failover --all --check',
    'failover --all --reason test --dry-run',
    'failback --all --reason test --yes',
    'failback --all --check',
    'failback --all --after-drain --check',
    'failback --all --reason test --dry-run',
    'failback --all --force --reason test --yes',
    'pause --reason test --yes',
    'resume --reason test --yes',
    'maintenance --reason test --yes',
    'approve --reason test --yes',
    'ack --reason test --yes',
    'drained --all --reason test --yes',
    'drill --aws --config drilling.json --reason test --yes',
    'history',
    'why --at 20m',
  ])('%s ends with 1 and the same words, and changes nothing', async (line) => {
    const { exit, json } = await shell.run(`${line} --json`);
    expect(exit).toBe(1);
    const error = json as { error: { name: string; message: string; credentials?: Shown['credentials'] } };
    // One table tells that this one act is denied, and no more.
    const isOneTable = problem === 'no-rights' && !/^(failover|failback|why|drill)/.test(line);
    expect(error).toMatchObject(
      isOneTable
        ? {
            error: {
              name: 'NotAllowedError',
              message: expect.stringMatching(/dynamodb:(GetItem|Query) is denied/),
            },
          }
        : { error: { name: 'CredentialsError', credentials: { problem, fix: expect.stringMatching(fix) } } },
    );
    expect(error.error.message).not.toMatch(/does not answer|--force|--direct/);
    expect(writes()).toEqual([]);
  });
});

test('the schedule of the drill is left as it is, and that is no usage error', async () => {
  aws.refuse = () => ({ code: 'ExpiredTokenException' });
  const line = 'drill --aws --schedule off --config drilling.json --reason test --yes';
  expect(await shell.run(line)).toMatchObject({ exit: 1, err: expect.stringMatching(/Your credentials/) });
});

test('drain says it, too, and where it would go on', async () => {
  aws.refuse = () => ({ code: 'ExpiredTokenException' });
  const window = '--from 2020-11-25T13:00:00Z --to 2020-11-25T13:16:00Z --checkpoint progress.json';
  const where = `--from-region us-east-1 --to-region us-west-2 --stream orders --endpoint ${aws.url}`;
  const { exit, err } = await shell.run(`drain ${where} ${window}`);
  expect(exit).toBe(1);
  expect(err).toMatch(/^error Your credentials: they have expired\..*Unset AWS_ACCESS_KEY_ID/m);
  expect(err).toMatch(/^the same command goes on from progress\.json$/m);
  expect(aws.calls).toHaveLength(1);
});

test('the account that has no tables is named, as STS knows it', async () => {
  aws.refuse = onTables(() => ({ code: 'ResourceNotFoundException' }));
  const { json } = await shell.run('status --json');
  expect(json).toMatchObject({
    credentials: { account: '123456789012', arn: ana, said: expect.stringContaining('account 123456789012') },
  });
  const { err } = await shell.run('history');
  expect(err).toContain('account 123456789012 has none of the tables');
});

test('a metadata service that never answers makes it no outage, and does not make it wait', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  keys('');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', '');
  vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', `http://127.0.0.1:${port}`);
  const { json } = await shell.run('status --json');
  silent.close();
  expect(json).toMatchObject({ credentials: { ok: false, problem: 'none' } });
});

describe('what looks like it, and is an outage', () => {
  test.each([
    ['5xx', () => void aws.down.add('dynamodb').add('sts')],
    ['silence', () => observers.forEach((region) => void aws.blackHoles.add(region))],
  ])('%s of every region is not taken for a login problem', async (_name, break_) => {
    break_();
    const { json } = await shell.run('status --json');
    expect(json).toMatchObject({ credentials: { ok: null }, control: 'unanswered' });
    const { findings, observers: seen } = json as Shown;
    expect(seen.map(({ answered }) => answered)).toEqual([false, false, false]);
    expect(findings.filter(({ level }) => level === 'bad')).toMatchObject([
      { text: expect.stringMatching(/^observer us-west-2: /) },
      {},
      {},
      { text: expect.stringMatching(/^the state table in us-west-2: .*not known: overrides/) },
      { text: expect.stringMatching(/is not known$/) },
    ]);
    expect(findings.map(({ run = '' }) => run).join()).not.toMatch(/failover|failback/);
  });

  test('a standby that is gone is told beside the login problem that hides the rest', async () => {
    aws.blackHoles.add('us-west-2');
    aws.refuse = () => ({ code: 'ExpiredTokenException' });
    const { json } = await shell.run('status --json');
    const { findings, credentials, observers: seen } = json as Shown;
    expect(credentials).toMatchObject({ ok: false, problem: 'expired' });
    expect(seen.map(({ answered }) => answered)).toEqual([false, null, null]);
    expect(findings.map(({ level, text }) => `${level} ${text}`)).toEqual([
      expect.stringMatching(/^unknown your credentials: they have expired/),
      expect.stringMatching(/^bad observer us-west-2: no answer/),
      expect.stringMatching(/^bad the state table in us-west-2: no answer/),
    ]);
  });

  test('STS that takes nobody, while the table does, keeps nobody from acting', async () => {
    aws.refuse = ({ service }) =>
      service === 'sts' ? { code: 'InvalidClientTokenId', status: 403 } : undefined;
    expect((await shell.run('pause --reason test --yes')).exit).toBe(0);
  });
});

describe('what is refused in part', () => {
  test('one table of one region is not known, with the right that is missing; the rest is', async () => {
    aws.refuse = (facts) => (facts.region === 'us-east-2' ? denial(facts) : undefined);
    const { exit, json } = await shell.run('status --json');
    const shown = json as Shown;
    expect(exit).toBe(4);
    expect(shown).toMatchObject({ credentials: { ok: true }, control: 'read', overrides: [] });
    expect(shown.observers.map(({ answered }) => answered)).toEqual([true, null, true]);
    expect(shown.findings.filter(({ level }) => level !== 'note')).toEqual([
      {
        level: 'unknown',
        text: expect.stringMatching(
          /^dynamodb:GetItem is denied on us-east-2 table\/shop to arn:.*observer us-east-2$/,
        ),
      },
    ]);
    const { out } = await shell.run('status');
    expect(out).toMatch(/^shop NOT KNOWN/);
    expect(out).toMatch(/0 of 2 votes EVACUATE, 1 not known/);
    expect(out).toMatch(/^us-east-2 +not known .*not allowed$/m);
  });

  test('some items of the state table are known, others not, and none of them is said to be both', async () => {
    aws.refuse = (facts) => (facts.operation === 'Query' ? denial(facts) : undefined);
    const { json } = await shell.run('status --json');
    expect(json).toMatchObject({
      control: 'read',
      overrides: [],
      lease: { held: false },
      epoch: null,
      lastDrill: null,
    });
    const { findings } = json as Shown;
    expect(findings).toEqual([
      {
        level: 'unknown',
        text: expect.stringMatching(
          /^dynamodb:Query is denied .*: switches, epoch, journal, survey, consumers$/,
        ),
      },
    ]);
  });

  test('a region that alone refuses the token is that region, and no login problem', async () => {
    aws.refuse = ({ region }) =>
      region === 'eu-west-1' ? { code: 'UnrecognizedClientException', message: invalid } : undefined;
    const { json } = await shell.run('status --json');
    expect(json).toMatchObject({ credentials: { ok: true } });
    expect((json as Shown).findings.filter(({ level }) => level !== 'note')).toEqual([
      {
        level: 'unknown',
        text: expect.stringMatching(/^eu-west-1 rejects your credentials, which other/),
      },
    ]);
  });

  test('a table that only one region lacks is that region', async () => {
    aws.refuse = ({ region }) => (region === 'eu-west-1' ? { code: 'ResourceNotFoundException' } : undefined);
    const { json } = await shell.run('status --json');
    expect(json).toMatchObject({ credentials: { ok: true } });
    expect((json as Shown).findings).toContainEqual({
      level: 'bad',
      text: 'there is no table shop-vote in eu-west-1; not known: observer eu-west-1',
    });
  });

  test('failover says who could not be asked, and why, when nobody is known to see the standby', async () => {
    aws.refuse = (facts) => (facts.region === 'us-east-2' ? denial(facts) : undefined);
    const { exit, err } = await shell.run('failover --all --reason test --yes');
    expect(exit).toBe(3);
    expect(err).toMatch(/us-east-2 could not be asked: AccessDeniedException/);
    expect(err).not.toMatch(/us-west-2 could not be asked/);
  });

  test('doctor has one finding for a region that refuses, and goes on elsewhere', async () => {
    aws.refuse = (facts) =>
      facts.region === 'us-east-2' && facts.service !== 'sts' ? denial(facts) : undefined;
    const { json } = await shell.run('doctor --json');
    const { findings } = json as { findings: { check: string; ok: boolean; finding: string; fix: string }[] };
    // Nothing has recorded here what the health checks ask, and that finding names every region.
    const about = findings.filter(
      ({ check, finding, ok }) => !ok && check !== 'endpoints' && finding.includes('us-east-2'),
    );
    expect(about).toMatchObject([{ check: 'rights', fix: expect.stringContaining('docs/cli.md, Rights') }]);
    expect(about[0]?.finding).toMatch(
      /not checked there: lambda concurrency, versions, observers, cells that move alone, alarms are heard$/,
    );
    expect(findings.some(({ check, ok }) => check === 'switches' && ok)).toBe(true);
  });
});

test('a provider that takes its time is waited for, said, and not taken for a region', async () => {
  const script = join(shell.directory, 'slow.mjs');
  const keysOf = '{"Version":1,"AccessKeyId":"test","SecretAccessKey":"test"}';
  await writeFile(script, `setTimeout(() => console.log('${keysOf}'), 3_000);`);
  const config = `[profile slow]\ncredential_process = ${process.execPath} ${script}\n`;
  await writeFile(join(shell.directory, 'aws-config'), config);
  vi.stubEnv('AWS_PROFILE', 'slow');
  keys('');
  const { json, err } = await shell.run('status --json');
  expect(err).toBe('waiting for the source of the credentials');
  expect(json).toMatchObject({ credentials: { ok: true }, overrides: [] });
});
