import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeRoute53Server {
  readonly url: string;
  /** `METHOD what`, in order: `POST rrset`. */
  readonly calls: string[];
  /** Callers' references by id of the check. */
  readonly checks: Map<string, string>;
  /** The XML of each record, by name, type and set identifier, as it came. */
  readonly records: Map<string, string>;
  /** Bodies of UpdateHealthCheck. */
  readonly updates: string[];
  /** A status, and an error code of Route 53, for calls that it picks. */
  fail: (call: string) => { readonly status: number; readonly code: string } | undefined;
  close(): Promise<void>;
}

const XMLNS = 'xmlns="https://route53.amazonaws.com/doc/2013-04-01/"';
const textIn = (xml: string, tag: string): string =>
  new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)?.[1] ?? '';
const configXml =
  '<HealthCheckConfig><Type>HTTPS_STR_MATCH</Type></HealthCheckConfig><HealthCheckVersion>1</HealthCheckVersion>';
const checkXml = ([id, reference]: readonly [string, string]): string =>
  `<HealthCheck><Id>${id}</Id><CallerReference>${reference}</CallerReference>${configXml}</HealthCheck>`;
const keyOf = (xml: string): string =>
  [textIn(xml, 'Name'), textIn(xml, 'Type'), textIn(xml, 'SetIdentifier')].join(' ');

/** As much of Route 53's REST API as `spillway prove` uses, on a real socket, so that the SDK's own client talks to it. */
export async function startFakeRoute53(): Promise<FakeRoute53Server> {
  const server = createServer((request, response) => {
    void answer(request).then(({ status, body }) =>
      response.writeHead(status, { 'content-type': 'text/xml' }).end(body),
    );
  });
  const fake: FakeRoute53Server = {
    url: '',
    calls: [],
    checks: new Map(),
    records: new Map(),
    updates: [],
    fail: () => undefined,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  let made = 0;

  async function answer(
    request: IncomingMessage,
  ): Promise<{ readonly status: number; readonly body: string }> {
    const body = Buffer.concat(await request.toArray()).toString();
    const path = new URL(request.url ?? '/', 'http://fake').pathname;
    const call = `${request.method} ${/rrset|healthcheck|tags/.exec(path)?.[0] ?? path}${path.endsWith('/status') ? ' status' : ''}`;
    fake.calls.push(call);
    const failure = fake.fail(call);
    if (failure !== undefined) {
      const error = `<Error><Type>Sender</Type><Code>${failure.code}</Code><Message>as asked</Message></Error>`;
      return { status: failure.status, body: `<ErrorResponse ${XMLNS}>${error}</ErrorResponse>` };
    }
    const id = path.split('/')[3] ?? '';
    switch (call) {
      case 'POST healthcheck': {
        if (id !== '') {
          fake.updates.push(body);
          return ok('UpdateHealthCheckResponse', checkXml([id, fake.checks.get(id) ?? '']));
        }
        made++;
        fake.checks.set(`check-${made}`, textIn(body, 'CallerReference'));
        return { ...ok('CreateHealthCheckResponse', checkXml([`check-${made}`, 'r'])), status: 201 };
      }
      case 'GET healthcheck': {
        const list = [...fake.checks].map(checkXml).join('');
        const end = '<IsTruncated>false</IsTruncated><Marker></Marker><MaxItems>100</MaxItems>';
        return ok('ListHealthChecksResponse', `<HealthChecks>${list}</HealthChecks>${end}`);
      }
      case 'GET healthcheck status':
        return ok(
          'GetHealthCheckStatusResponse',
          '<HealthCheckObservations><HealthCheckObservation><Region>us-east-1</Region><IPAddress>192.0.2.1</IPAddress><StatusReport><Status>Success: HTTP Status Code 200, OK</Status><CheckedTime>2026-11-25T03:00:00Z</CheckedTime></StatusReport></HealthCheckObservation><HealthCheckObservation><Region>eu-west-1</Region><IPAddress>192.0.2.2</IPAddress></HealthCheckObservation></HealthCheckObservations>',
        );
      case 'DELETE healthcheck':
        fake.checks.delete(id);
        return ok('DeleteHealthCheckResponse', '');
      case 'GET rrset': {
        const list = [...fake.records.values()].join('');
        const end = '<IsTruncated>false</IsTruncated><MaxItems>10</MaxItems>';
        return ok('ListResourceRecordSetsResponse', `<ResourceRecordSets>${list}</ResourceRecordSets>${end}`);
      }
      case 'POST rrset':
        for (const [, action, xml = ''] of body.matchAll(
          /<Action>(\w+)<\/Action>(<ResourceRecordSet>.*?<\/ResourceRecordSet>)/gs,
        )) {
          if (action === 'DELETE') fake.records.delete(keyOf(xml));
          else fake.records.set(keyOf(xml), xml);
        }
        return ok(
          'ChangeResourceRecordSetsResponse',
          '<ChangeInfo><Id>C1</Id><Status>PENDING</Status><SubmittedAt>2026-11-25T03:00:00Z</SubmittedAt></ChangeInfo>',
        );
      default:
        return ok('Response', '');
    }
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(fake, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

const ok = (name: string, body: string) => ({
  status: 200,
  body: `<?xml version="1.0"?><${name} ${XMLNS}>${body}</${name}>`,
});
