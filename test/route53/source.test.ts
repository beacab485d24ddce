import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Route53Client } from '@aws-sdk/client-route-53';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toHealthCheck, toRecordSet } from '../../lib/route53/convert.ts';
import { HealthCheckError, SourceError } from '../../lib/route53/errors.ts';
import { checkerRegions } from '../../lib/route53/health-check.ts';
import { readZone } from '../../lib/route53/source.ts';

const config = {
  Type: 'HTTPS_STR_MATCH',
  FullyQualifiedDomainName: 'abc.lambda-url.us-west-2.on.aws',
  ResourcePath: '/vote',
  SearchString: 'vote=EVACUATE',
  RequestInterval: 10,
  FailureThreshold: 1,
  Inverted: true,
};
const checkOf = (changes: object) => toHealthCheck({ Id: 'c', HealthCheckConfig: { ...config, ...changes } });

/** "HealthCheckConfig" (API Reference). */
describe('a health check as the API answers it', () => {
  it('is read with the documented defaults', () => {
    expect(
      checkOf({ RequestInterval: undefined, FailureThreshold: undefined, ResourcePath: undefined }),
    ).toEqual({
      id: 'c',
      kind: 'endpoint',
      type: 'HTTPS_STR_MATCH',
      searchString: 'vote=EVACUATE',
      fqdn: 'abc.lambda-url.us-west-2.on.aws',
      port: 443,
      resourcePath: '/',
      requestIntervalSeconds: 30,
      failureThreshold: 3,
      regions: checkerRegions,
      inverted: true,
      disabled: false,
      enableSni: false,
    });
  });

  it('reads the word None, and no number, as absent', () => {
    expect(checkOf({ IPAddress: 'None' })).not.toHaveProperty('ip');
    const sum = { Type: 'CALCULATED', ChildHealthChecks: ['a'], HealthThreshold: Number.NaN };
    expect(toHealthCheck({ Id: 's', HealthCheckConfig: sum })).toEqual({
      id: 's',
      kind: 'calculated',
      children: ['a'],
      inverted: false,
      disabled: false,
    });
  });

  it('is refused with a type that is not modelled, saying what to use', () => {
    for (const Type of ['CLOUDWATCH_METRIC', 'RECOVERY_CONTROL']) {
      expect(() => checkOf({ Type })).toThrow(HealthCheckError);
      expect(() => checkOf({ Type })).toThrow(new RegExp(`${Type}.*use an endpoint check`));
    }
  });

  it('is refused when it is malformed', () => {
    const malformed = [
      { RequestInterval: 20 },
      { FailureThreshold: 11 },
      { SearchString: undefined },
      { FullyQualifiedDomainName: undefined },
      { IPAddress: 'localhost' },
      { Port: 0 },
    ];
    for (const changes of malformed)
      expect(() => checkOf(changes), JSON.stringify(changes)).toThrow(SourceError);
    expect(() => toHealthCheck({ Id: 'c' })).toThrow(SourceError);
  });
});

describe('a record set as the API answers it', () => {
  const txt = { Name: 'a.example.com.', Type: 'TXT', TTL: 5, ResourceRecords: [{ Value: '"v=1"' }] };
  const read = (changes: object) => toRecordSet({ ...txt, ...changes }, '/hostedzone/Z1');

  it('is simple, weighted, failover or an alias', () => {
    expect(read({})?.routing).toEqual({ policy: 'simple' });
    expect(read({ Weight: 0, SetIdentifier: 'x' })?.routing).toEqual({ policy: 'weighted', weight: 0 });
    expect(read({ Failover: 'PRIMARY' })?.routing).toEqual({ policy: 'failover', role: 'PRIMARY' });
    const AliasTarget = { HostedZoneId: 'Z1', DNSName: 'b.example.com.', EvaluateTargetHealth: true };
    expect(read({ AliasTarget, TTL: undefined, HealthCheckId: 'q' })).toMatchObject({
      healthCheckId: 'q',
      data: { kind: 'alias', target: 'b.example.com.', evaluateTargetHealth: true },
    });
  });

  it('is marked unsupported with another policy, or as an alias of something outside the zone', () => {
    for (const changes of [
      { Region: 'us-east-1' },
      { GeoLocation: { CountryCode: '*' } },
      { MultiValueAnswer: true },
      {
        AliasTarget: {
          HostedZoneId: 'Z35SXDOTRQ7X7K',
          DNSName: 'lb.amazonaws.com',
          EvaluateTargetHealth: false,
        },
      },
    ]) {
      expect(read(changes)?.routing.policy, JSON.stringify(changes)).toBe('unsupported');
    }
  });

  it('is left out with a type that no answer of ours depends on, and refused when malformed', () => {
    expect(read({ Type: 'MX' })).toBeUndefined();
    expect(() => read({ TTL: undefined })).toThrow(/TTL/);
    expect(() => read({ ResourceRecords: [{ Value: 'v=1' }] })).toThrow(/quoted/);
    expect(() => read({ Weight: 256 })).toThrow(SourceError);
  });
});

/** The API's XML over a real socket, so that the SDK's own parsing and paging take part. */
describe('reading a zone', () => {
  const requests: string[] = [];
  const answers = new Map<string, string>();
  let server: Server;
  let client: Route53Client;

  const health = (id: string, xml: string) =>
    `<HealthCheck><Id>${id}</Id><CallerReference>${id}</CallerReference><HealthCheckVersion>1</HealthCheckVersion><HealthCheckConfig>${xml}</HealthCheckConfig></HealthCheck>`;
  const endpointXml =
    '<IPAddress>None</IPAddress><Port>443</Port><Type>HTTPS</Type><FullyQualifiedDomainName>a.example.net</FullyQualifiedDomainName><RequestInterval>10</RequestInterval>';
  const recordXml = (name: string, id: string) =>
    `<ResourceRecordSet><Name>${name}.</Name><Type>TXT</Type><SetIdentifier>x</SetIdentifier><Weight>1</Weight><TTL>5</TTL><HealthCheckId>${id}</HealthCheckId><ResourceRecords><ResourceRecord><Value>"v=1"</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>`;
  const recordPage = (records: string, next = '') =>
    `<ListResourceRecordSetsResponse><ResourceRecordSets>${records}</ResourceRecordSets><IsTruncated>${next !== ''}</IsTruncated>${next}<MaxItems>300</MaxItems></ListResourceRecordSetsResponse>`;
  const checkPage = (checks: string, next = '') =>
    `<ListHealthChecksResponse><HealthChecks>${checks}</HealthChecks><IsTruncated>${next !== ''}</IsTruncated>${next}<MaxItems>100</MaxItems></ListHealthChecksResponse>`;
  const rrset = '/2013-04-01/hostedzone/Z1/rrset';
  const checks = '/2013-04-01/healthcheck';
  const read = () => readZone({ client, zoneId: 'Z1', zoneName: 'example.com' });

  beforeEach(async () => {
    requests.length = 0;
    answers.clear();
    server = createServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://localhost');
      url.searchParams.sort();
      requests.push(url.pathname + url.search);
      const answer = answers.get(url.pathname + url.search);
      response.writeHead(answer === undefined ? 403 : 200, { 'content-type': 'text/xml' });
      response.end(
        answer ??
          '<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>',
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = new Route53Client({
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler({ requestTimeout: 2_000, throwOnRequestTimeout: true }),
    });
  });
  afterEach(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });

  it('follows the pages of both lists and keeps the checks that the zone uses', async () => {
    const next =
      '<NextRecordName>b.example.com.</NextRecordName><NextRecordType>TXT</NextRecordType><NextRecordIdentifier>x</NextRecordIdentifier>';
    answers.set(rrset, recordPage(recordXml('a.example.com', 'sum'), next));
    answers.set(
      `${rrset}?identifier=x&name=b.example.com.&type=TXT`,
      recordPage(recordXml('b.example.com', 'one')),
    );
    const sum =
      '<Type>CALCULATED</Type><HealthThreshold>1</HealthThreshold><ChildHealthChecks><ChildHealthCheck>two</ChildHealthCheck></ChildHealthChecks>';
    const alarm = '<Type>CLOUDWATCH_METRIC</Type>';
    answers.set(checks, checkPage(health('sum', sum) + health('alarm', alarm), '<NextMarker>m</NextMarker>'));
    answers.set(`${checks}?marker=m`, checkPage(health('one', endpointXml) + health('two', endpointXml)));
    answers.set(
      '/2013-04-01/tags/healthcheck',
      '<ListTagsForResourcesResponse><ResourceTagSets><ResourceTagSet><ResourceType>healthcheck</ResourceType><ResourceId>sum</ResourceId><Tags><Tag><Key>Name</Key><Value>quorum</Value></Tag></Tags></ResourceTagSet></ResourceTagSets></ListTagsForResourcesResponse>',
    );
    const reading = await read();
    expect([...reading.zone.groups.keys()]).toEqual(['a.example.com TXT', 'b.example.com TXT']);
    expect(reading.checks.map((check) => check.id).sort()).toEqual(['one', 'sum', 'two']);
    expect([...reading.checkNames]).toEqual([['sum', 'quorum']]);
  });

  it('does without names when tags cannot be read', async () => {
    answers.set(rrset, recordPage(recordXml('a.example.com', 'one')));
    answers.set(checks, checkPage(health('one', endpointXml)));
    const reading = await read();
    expect(reading.checks).toHaveLength(1);
    expect(reading.checkNames.size).toBe(0);
  });

  it('says which check is missing', async () => {
    answers.set(rrset, recordPage(recordXml('a.example.com', 'gone')));
    answers.set(checks, checkPage(''));
    await expect(read()).rejects.toThrow(/gone, which does not exist/);
  });

  it('refuses a list that never ends', async () => {
    answers.set(rrset, recordPage(''));
    answers.set(checks, checkPage('', '<NextMarker>m</NextMarker>'));
    answers.set(`${checks}?marker=m`, checkPage('', '<NextMarker>m</NextMarker>'));
    await expect(read()).rejects.toThrow(/100 pages/);
    expect(requests).toHaveLength(101);
  });

  it('wraps what the SDK throws', async () => {
    await expect(read()).rejects.toThrow(SourceError);
    await expect(read()).rejects.toThrow(/Z1.*AccessDenied/);
  });
});
