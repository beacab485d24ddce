import { Resolver } from 'node:dns/promises';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { cellFindingSchema, MOST_FINDINGS } from '../../../lambda/core/cell-findings.ts';
import { diagnosisCodes } from '../../../lambda/core/diagnosis.ts';
import { signalRecordName, stateTableName, voteTableName } from '../../../lambda/core/names.ts';
import { parseSignal } from '../../../lambda/core/signal.ts';
import type { Position } from '../../../lambda/core/switch.ts';
import { observerKey, votes } from '../../../lambda/core/vote.ts';
import { type Config, observerRegions } from '../../config/config.ts';
import { StateTable } from '../../state/state-table.ts';
import type { LocalClients } from './clients.ts';
import type { DrillEvent } from './events.ts';

/** Each look costs the world a call for every observer: four looks a second would be a tenth of its work. */
const VOTE_POLL_MS = 500;
const DNS_POLL_MS = 200;
const DNS_TIMEOUT_MS = 1_000;
const SWITCH_POLL_MS = 1_000;
const SWITCH_TIMEOUT_MS = 2_000;

/** The part of an observer's stored item that the drill shows. */
const observerItem = z.object({
  vote: z.enum(votes),
  diagnosis: z.enum(diagnosisCodes),
  comment: z.string(),
  decidedAtMs: z.number(),
  expiresAtMs: z.number(),
  cells: z.array(cellFindingSchema).max(MOST_FINDINGS).catch([]),
});
export type ObserverItem = z.infer<typeof observerItem>;

export interface Watching {
  /** The last item each observer stored. */
  readonly observers: ReadonlyMap<string, ObserverItem>;
  /** What DNS last answered for each cell. */
  readonly answers: ReadonlyMap<string, string>;
  /** Position of each group's switch, as stored; a group that was never set is missing. */
  readonly switches: ReadonlyMap<string, Position>;
  stop(): Promise<void>;
}

/** Watches from outside: votes as they are stored, and signals as DNS answers them to anybody. */
export function watch(options: {
  readonly clients: LocalClients;
  readonly config: Config;
  readonly dnsServer: string;
  readonly onEvent: (event: DrillEvent) => void;
}): Watching {
  const { clients, config, onEvent } = options;
  const observers = new Map<string, ObserverItem>();
  const answers = new Map<string, string>();
  const switches = new Map<string, Position>();
  const loops = [
    ...observerRegions(config.regions).map((region) => {
      const documents = clients.documents(region);
      return every(VOTE_POLL_MS, async () => {
        const { Item } = await documents.send(
          new GetCommand({ TableName: voteTableName(config.name), Key: observerKey, ConsistentRead: true }),
        );
        const item = observerItem.safeParse(Item);
        if (!item.success) return;
        const before = observers.get(region);
        observers.set(region, item.data);
        const { vote, diagnosis, comment } = item.data;
        if (before?.vote !== vote || before.diagnosis !== diagnosis)
          onEvent({ kind: 'observer', atMs: Date.now(), region, vote, diagnosis, comment });
        for (const event of cellEvents(before, item.data)) onEvent({ ...event, region, atMs: Date.now() });
      });
    }),
    ...config.cells.map((cell) => watchCell(cell.name)),
    watchSwitches(),
  ];

  function watchSwitches(): Loop {
    const table = new StateTable({
      client: clients.documents(config.regions.standby),
      table: stateTableName(config.name),
      timeoutMs: SWITCH_TIMEOUT_MS,
    });
    return every(SWITCH_POLL_MS, async () => {
      for (const { group, position, epoch } of await table.readSwitches()) {
        if (switches.get(group) === position) continue;
        switches.set(group, position);
        onEvent({ kind: 'switch', atMs: Date.now(), group, position, epoch });
      }
    });
  }

  function watchCell(cell: string): Loop {
    const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 1 });
    resolver.setServers([options.dnsServer]);
    const name = signalRecordName(cell, config.zone.name);
    const regions = [config.regions.primary, config.regions.standby];
    return every(DNS_POLL_MS, async () => {
      const texts = await resolver.resolveTxt(name);
      const parsed = parseSignal(texts.map((chunks) => chunks.join('')).join(''), regions);
      const region = parsed.ok ? parsed.signal.region : `(${parsed.rejection})`;
      if (answers.get(cell) === region) return;
      answers.set(cell, region);
      onEvent({ kind: 'dns', atMs: Date.now(), cell, region });
    });
  }

  return {
    observers,
    answers,
    switches,
    stop: async () => {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}

/** What has changed in what an observer says of single cells; the reason alone is no change. */
function cellEvents(
  before: ObserverItem | undefined,
  { cells }: ObserverItem,
): readonly Omit<Extract<DrillEvent, { kind: 'cell' }>, 'region' | 'atMs'>[] {
  const textOf = ({ kind, refusals }: ObserverItem['cells'][number]): string =>
    `${kind} ${refusals.map(({ rule }) => rule).join()}`;
  const known = new Map(before?.cells.map((finding) => [finding.cell, textOf(finding)]));
  const said = cells
    .filter((finding) => known.get(finding.cell) !== textOf(finding))
    .map(({ cell, kind, reason, refusals }) => ({
      ...{ kind: 'cell' as const, cell, finding: { kind, reason } },
      refusedBy: refusals.map(({ rule }) => rule),
    }));
  const over = [...known.keys()].filter((cell) => !cells.some((finding) => finding.cell === cell));
  return [...said, ...over.map((cell) => ({ kind: 'cell' as const, cell, refusedBy: [] }))];
}

interface Loop {
  stop(): Promise<void>;
}

/**
 * Runs the task again and again, never two at the same time. A failed look is ignored, because the next look
 * follows.
 */
function every(intervalMs: number, task: () => Promise<void>): Loop {
  let stopped = false;
  let wake = (): void => {};
  const done = (async () => {
    while (!stopped) {
      await task().catch(() => {});
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, intervalMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        if (stopped) wake();
      });
    }
  })();
  return {
    stop: () => {
      stopped = true;
      wake();
      return done;
    },
  };
}
