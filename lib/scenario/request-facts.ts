import type { IncomingMessage } from 'node:http';
import { restOperation } from './rest-operations.ts';
import { serviceOfSigningName } from './services.ts';

/** How a service expects its errors to be written. */
export type Protocol = 'json' | 'query' | 'rest-json' | 'rest-xml' | 'plain';

export interface RequestFacts {
  readonly region: string;
  /** The service, as scenarios name it. */
  readonly service: string;
  readonly operation: string;
  readonly protocol: Protocol;
}

/** `Credential=AKID/20201125/us-east-1/kinesis/aws4_request`: where a call goes and what it is for (SigV4). */
const credentialScope = /Credential=[^/]+\/\d{8}\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request/;
const functionUrlHost = /^[a-z0-9]+\.lambda-url\.([a-z0-9-]+)\./;
const rpcPath = /^\/service\/[^/]+\/operation\/([A-Za-z0-9]+)$/;
const xmlServices = new Set(['route53', 's3']);

/**
 * Finds out what a request is, from its signature and its protocol; undefined for a request that is neither
 * signed nor to a function URL.
 */
export function factsOf(request: IncomingMessage, body: Buffer): RequestFacts | undefined {
  const { headers, method = 'GET', url = '/' } = request;
  const scope = credentialScope.exec(headers.authorization ?? '');
  if (scope === null) return functionUrlFacts(headers.host ?? '');
  const [, region = '', signing = ''] = scope;
  const service = serviceOfSigningName(signing);
  const path = url.split('?')[0] ?? '/';
  const target = headers['x-amz-target'];
  if (typeof target === 'string') {
    return { region, service, operation: target.split('.').at(-1) ?? target, protocol: 'json' };
  }
  const rpc = rpcPath.exec(path)?.[1];
  if (rpc !== undefined) return { region, service, operation: rpc, protocol: 'json' };
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    const action = new URLSearchParams(body.toString('utf8')).get('Action');
    if (action !== null) return { region, service, operation: action, protocol: 'query' };
  }
  const protocol = xmlServices.has(service) ? 'rest-xml' : 'rest-json';
  return { region, service, operation: restOperation(service, method, url) ?? `${method} ${path}`, protocol };
}

function functionUrlFacts(host: string): RequestFacts | undefined {
  const region = functionUrlHost.exec(host)?.[1];
  if (region === undefined) return undefined;
  return { region, service: 'lambda', operation: 'InvokeFunctionUrl', protocol: 'plain' };
}
