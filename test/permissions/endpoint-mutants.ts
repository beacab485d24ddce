import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { endpointFindings, isTrouble } from '../../lambda/core/endpoint-findings.ts';
import { type CheckedEndpoint, type EndpointId, endpointPath } from '../../lambda/core/endpoint-items.ts';
import { endpointText } from '../../lambda/core/endpoint-text.ts';
import { type Config, observerRegions } from '../../lib/config/config.ts';
import { examineEndpoints } from '../../lib/endpoint/examine.ts';
import type { Mutant } from './mutant.ts';

const LIMITS = { parallel: 4, timeoutMs: 2_000, beginWithinMs: 5_000 };
/** What the functions answer whose roles were taken away: the table cannot be read. */
const UNREAD = { vote: { value: 'HOLD', read: false }, switch: { value: 'PRIMARY', read: false } } as const;
const GONE = 'gone.lambda-url.invalid';

/**
 * Endpoints that Route 53's checkers learn nothing from, in health: the monitor, which asks them by sockets as it does in an
 * account, has to find trouble with exactly that one.
 */
export function endpointMutants(config: Config): readonly Mutant[] {
  const ids: readonly EndpointId[] = [
    ...observerRegions(config.regions).map((of) => ({ kind: 'vote' as const, of })),
    ...[...new Set(config.cells.map(({ group }) => group))].map((of) => ({ kind: 'switch' as const, of })),
  ];
  return ids.flatMap((id) => [
    mutant(ids, {
      id,
      name: 'has a check that asks a dead URL',
      change: (one) => ({ ...one, host: GONE, origin: undefined }),
    }),
    mutant(ids, {
      id,
      name: 'belongs to a function whose role is empty',
      change: (one) => ({ ...one, isUnread: true }),
    }),
  ]);
}

interface Asked {
  readonly host: string;
  readonly origin: URL | undefined;
  readonly isUnread: boolean;
}

function mutant(
  ids: readonly EndpointId[],
  {
    id,
    name,
    change,
  }: { readonly id: EndpointId; readonly name: string; readonly change: (asked: Asked) => Asked },
): Mutant {
  return {
    kind: 'endpoint',
    name: `${id.kind} ${id.of} ${name}`,
    firstRed: async () => {
      const healthy = await troubles(ids, () => (asked) => asked);
      if (healthy.length > 0)
        throw new Error(`nothing is broken yet, and there is trouble: ${healthy.join()}`);
      const found = await troubles(ids, (one) => (one === id ? change : (asked) => asked));
      return found.length === 1 ? found[0] : undefined;
    },
  };
}

/** What the monitor finds wrong with the endpoints, each answered by a server of its own. */
async function troubles(
  ids: readonly EndpointId[],
  changeOf: (id: EndpointId) => (asked: Asked) => Asked,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const id of ids) {
    let isUnread = false;
    const server = createServer((_request, response) => {
      const text =
        id.kind === 'vote'
          ? endpointText('vote', isUnread ? UNREAD.vote : { value: 'HOLD', read: true })
          : endpointText('switch', isUnread ? UNREAD.switch : { value: 'PRIMARY', read: true });
      response.end(text);
    });
    const origin = await listening(server);
    try {
      const asked = changeOf(id)({ host: 'abc.lambda-url.on.aws', origin, isUnread: false });
      isUnread = asked.isUnread;
      const endpoint: CheckedEndpoint = {
        ...id,
        host: asked.host,
        path: endpointPath(id),
        checkId: `${id.kind}-${id.of}`,
        atMs: 1,
      };
      const [finding] = await examineEndpoints({
        endpoints: [endpoint],
        stored: async () => ({
          votes: new Map([[id.of, undefined]]),
          switches: new Map([[id.of, { position: 'PRIMARY' }]]),
        }),
        limits: LIMITS,
        nowMs: Date.now,
        origin: asked.origin,
      });
      if (finding !== undefined && isTrouble(finding)) {
        found.push(`${id.kind} ${id.of}: ${finding.finding}, ${endpointFindings[finding.finding].meaning}`);
      }
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }
  return found;
}

async function listening(server: Server): Promise<URL> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}
