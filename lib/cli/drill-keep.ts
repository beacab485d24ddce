import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { AfterDrill } from '../local/drill/drill-options.ts';
import type { DrillEvent } from '../local/drill/events.ts';
import { type Kept, standKept } from '../local/drill/kept.ts';
import type { DrillResult } from '../local/drill/result.ts';
import { withoutLead } from '../local/drill/schedule.ts';
import type { World } from '../local/drill/world.ts';
import type { Scenario } from '../scenario/schema.ts';
import { shellLine } from '../shell/shell-words.ts';
import { begunText, endedText } from './drill-faults.ts';
import { userName } from './drill-turn.ts';

export interface KeepOptions extends AfterDrill {
  readonly world: World;
  readonly result: DrillResult;
  readonly scenario: Scenario;
  readonly directory: string;
  /** The file to write, with what the commands need to find the world. */
  readonly worldFile: string;
  readonly write: (line: string) => void;
  readonly onEvent: (event: DrillEvent) => void;
}

/** The world's file holds the token of its control address. */
const OWNER_ONLY = 0o600;

/**
 * Keeps the world standing. Ends as an interruption does, or with the reason why the world can stand no
 * longer.
 */
export async function keepStanding(options: KeepOptions): Promise<never> {
  const { world, result, worldFile, write } = options;
  let unwatchKeys = (): void => {};
  try {
    return await standKept({
      ...options,
      scenario: withoutLead(options.scenario),
      onReady: async (kept) => {
        const facts = {
          localStackUrl: world.localStack.url,
          dnsServer: world.dataPlane.dnsServer,
          zone: world.config.zone,
          control: kept.control,
          result,
        };
        await writeFile(worldFile, `${JSON.stringify(facts, null, 2)}\n`, { mode: OWNER_ONLY });
        write(keptText(options, kept));
        unwatchKeys = watchKeys(kept, { worldFile, write });
      },
    });
  } finally {
    unwatchKeys();
  }
}

function keptText({ world, worldFile }: KeepOptions, { faults }: Kept): string {
  const { inForce, toCome } = faults.now();
  const verb = (...words: string[]): string => `  ${shellLine(['spillway', ...words, '--world', worldFile])}`;
  const time = (ms: number): string => new Date(ms).toISOString();
  return [
    `kept: LocalStack at ${world.localStack.url}, DNS at ${world.dataPlane.dnsServer} (${worldFile}). Ctrl-C takes it down.`,
    ...(inForce.length === 0
      ? ['No fault is in force.']
      : ['In force, while producers and observers keep running:']),
    ...inForce.map(({ text, untilMs }) => `  ${text}, until ${time(untilMs)}`),
    ...toCome.map(({ text, sinceMs }) => `  to come ${time(sinceMs)}: ${text}`),
    'To rehearse the failback:',
    verb('status'),
    verb('drill', 'end-faults'),
    verb('failback', '--all', '--pause', '50s', '--reason', 'rehearsal'),
    ...(process.stdin.isTTY ? ['Or here: e and Enter ends the faults, b and Enter plays them again.'] : []),
  ].join('\n');
}

/**
 * Watches for keys, on a terminal only, because piped input is not meant for this. Returns the function that
 * ends the watch.
 */
function watchKeys(
  kept: Kept,
  { worldFile, write }: { readonly worldFile: string; readonly write: (line: string) => void },
): () => void {
  if (!process.stdin.isTTY) return () => {};
  const by = userName();
  const keys: Readonly<Record<string, () => string>> = {
    e: () => endedText(kept.endFaults(by), worldFile),
    b: () => begunText(kept.beginFaults(by)),
  };
  // Not as a terminal, so that Ctrl-C still sends its signal.
  const lines = createInterface({ input: process.stdin, terminal: false });
  lines.on('line', (line) => {
    const act = keys[line.trim()];
    if (act !== undefined) write(act());
    else if (line.trim() !== '') write('e ends the faults, b plays them again; Ctrl-C takes the world down.');
  });
  return () => lines.close();
}
