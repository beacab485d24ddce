import { randomUUID } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ChangeResourceRecordSetsCommand,
  ChangeTagsForResourceCommand,
  CreateHealthCheckCommand,
  CreateHostedZoneCommand,
  type HealthCheckConfig,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type LocalStack, startLocalStack } from '../../lib/local/localstack/localstack.ts';
import { startDataPlane } from '../../lib/route53/data-plane.ts';
import { checkerRegions } from '../../lib/route53/health-check.ts';
import { readZone } from '../../lib/route53/source.ts';

const zoneName = 'source.example.com';
const signalName = `signal.orders.${zoneName}`;
const primarySignal = 'v=1; region=us-east-1; stream=orders';
const standbySignal = 'v=1; region=us-west-2; stream=orders';

let directory: string;
let localStack: LocalStack;
let client: Route53Client;
let zoneId: string;
let endpoint: Server;
let body = 'vote=HOLD';
const ids = { vote: '', quorum: '', switch: '' };

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-route53-'));
  localStack = await startLocalStack({ directory });
  client = new Route53Client({
    endpoint: localStack.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  endpoint = createServer((_, response) => response.end(body)).listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  const zone = await client.send(
    new CreateHostedZoneCommand({ Name: zoneName, CallerReference: randomUUID() }),
  );
  zoneId = zone.HostedZone?.Id ?? '';
  ids.vote = await createCheck(marker('/vote', 'vote=EVACUATE'));
  ids.switch = await createCheck(marker('/cells/orders', 'switch=STANDBY'));
  ids.quorum = await createCheck({ Type: 'CALCULATED', ChildHealthChecks: [ids.vote], HealthThreshold: 1 });
  await client.send(
    new ChangeTagsForResourceCommand({
      ResourceType: 'healthcheck',
      ResourceId: ids.quorum,
      AddTags: [{ Key: 'Name', Value: 'spillway-quorum' }],
    }),
  );
  await client.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: zoneId,
      ChangeBatch: { Changes: tree().map((record) => ({ Action: 'CREATE', ResourceRecordSet: record })) },
    }),
  );
});

afterAll(async () => {
  client?.destroy();
  endpoint?.close();
  await localStack?.stop();
  await rm(directory, { recursive: true, force: true });
});

async function createCheck(config: HealthCheckConfig): Promise<string> {
  const answer = await client.send(
    new CreateHealthCheckCommand({ CallerReference: randomUUID(), HealthCheckConfig: config }),
  );
  return answer.HealthCheck?.Id ?? '';
}

const marker = (path: string, search: string): HealthCheckConfig => ({
  Type: 'HTTPS_STR_MATCH',
  FullyQualifiedDomainName: 'abc.lambda-url.us-west-2.on.aws',
  Port: 443,
  ResourcePath: path,
  SearchString: search,
  RequestInterval: 10,
  FailureThreshold: 1,
  Inverted: true,
  EnableSNI: true,
});

function tree(): ResourceRecordSet[] {
  const plain = (text: string) => ({ TTL: 5, ResourceRecords: [{ Value: `"${text}"` }] });
  return [
    {
      Name: `primary.${signalName}`,
      Type: 'TXT',
      SetIdentifier: 'primary',
      Weight: 1,
      HealthCheckId: ids.switch,
      ...plain(primarySignal),
    },
    {
      Name: signalName,
      Type: 'TXT',
      SetIdentifier: 'primary',
      Failover: 'PRIMARY',
      HealthCheckId: ids.quorum,
      AliasTarget: {
        HostedZoneId: zoneId.replace('/hostedzone/', ''),
        DNSName: `primary.${signalName}`,
        EvaluateTargetHealth: true,
      },
    },
    {
      Name: signalName,
      Type: 'TXT',
      SetIdentifier: 'secondary',
      Failover: 'SECONDARY',
      ...plain(standbySignal),
    },
    { Name: `*.wild.${zoneName}`, Type: 'A', TTL: 60, ResourceRecords: [{ Value: '192.0.2.1' }] },
  ];
}

describe("LocalStack's Route 53 API", () => {
  it('gives back the checks and the tree that were created', async () => {
    const reading = await readZone({ client, zoneId, zoneName });
    const byId = new Map(reading.checks.map((check) => [check.id, check]));
    expect(byId.get(ids.vote)).toMatchObject({
      kind: 'endpoint',
      type: 'HTTPS_STR_MATCH',
      fqdn: 'abc.lambda-url.us-west-2.on.aws',
      port: 443,
      resourcePath: '/vote',
      searchString: 'vote=EVACUATE',
      requestIntervalSeconds: 10,
      failureThreshold: 1,
      inverted: true,
      disabled: false,
      regions: checkerRegions,
    });
    expect(byId.get(ids.vote)).not.toHaveProperty('ip');
    expect(byId.get(ids.switch)).toMatchObject({ resourcePath: '/cells/orders' });
    expect(byId.get(ids.quorum)).toMatchObject({
      kind: 'calculated',
      children: [ids.vote],
      healthThreshold: 1,
    });
    expect(reading.checkNames.get(ids.quorum)).toBe('spillway-quorum');
    expect([...reading.zone.groups].map(([key, group]) => `${key} ${group.policy}`)).toEqual(
      expect.arrayContaining([
        `${signalName} TXT failover`,
        `primary.${signalName} TXT weighted`,
        `*.wild.${zoneName} A simple`,
        `${zoneName} SOA simple`,
      ]),
    );
  });

  it('deletes one record of those that share an identifier', async () => {
    const change = (Action: 'CREATE' | 'DELETE', records: ResourceRecordSet[]) =>
      client.send(
        new ChangeResourceRecordSetsCommand({
          HostedZoneId: zoneId,
          ChangeBatch: { Changes: records.map((ResourceRecordSet) => ({ Action, ResourceRecordSet })) },
        }),
      );
    const groups = async () =>
      [...(await readZone({ client, zoneId, zoneName })).zone.groups.keys()].toSorted();
    const before = await groups();
    const role = (Failover: 'PRIMARY' | 'SECONDARY', text: string): ResourceRecordSet => ({
      Name: `region.${zoneName}`,
      Type: 'TXT',
      SetIdentifier: Failover.toLowerCase(),
      Failover,
      TTL: 5,
      ResourceRecords: [{ Value: `"${text}"` }],
    });
    const region = [role('PRIMARY', 'v=1; region=us-east-1'), role('SECONDARY', 'v=1; region=us-west-2')];
    await change('CREATE', region);
    expect(await groups()).toEqual([...before, `region.${zoneName} TXT`].toSorted());
    await change('DELETE', region);
    expect(await groups()).toEqual(before);
  });

  it('is what the data plane then answers from', async () => {
    const plane = await startDataPlane({
      client,
      zoneId,
      zoneName,
      originFor: (check) => ({
        origin: new URL(`http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`),
        hostHeader: check.fqdn ?? '',
      }),
      now: Date.now,
      random: Math.random,
      propagationMs: 0,
    });
    const signal = () => plane.answer(signalName, 'TXT');
    const resolver = new Resolver({ timeout: 1_000, tries: 1 });
    resolver.setServers([plane.dnsServer]);
    try {
      // What Route 53 puts into every zone, and whoever looks for the zone's servers asks for.
      expect(await resolver.resolveNs(zoneName)).toHaveLength(4);
      expect(signal()).toEqual([standbySignal]);
      await vi.waitFor(() => expect(signal()).toEqual([primarySignal]), { timeout: 45_000, interval: 200 });
      body = 'vote=EVACUATE';
      await vi.waitFor(() => expect(signal()).toEqual([standbySignal]), { timeout: 15_000, interval: 200 });
      expect(plane.isHealthy(ids.quorum)).toBe(false);
    } finally {
      await plane.close();
    }
  });
});
