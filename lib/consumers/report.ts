import type { ConsumerFacts, ConsumerOfCell, ConsumersOfCell } from '../../lambda/core/consumer-facts.ts';
import { type ConsumerFinding, worstFirst } from '../../lambda/core/consumer-findings.ts';
import { judgeCell, judgeObstacles, type Working, workingIn } from '../../lambda/core/consumer-judge.ts';
import type { ConsumerKind } from '../../lambda/core/consumers.ts';
import type { Role } from '../../lambda/core/role.ts';
import type { ConsumersRead } from './read.ts';

/** What `spillway consumers --json` prints. Documented in docs/consumers.md. */
export interface ConsumersReport {
  /** False: something is to be mended. What is not known alone does not make it false. */
  readonly ok: boolean;
  readonly name: 'consumers';
  readonly atMs: number;
  readonly counts: Readonly<Record<ConsumerFinding['level'], number>>;
  readonly cells: readonly CellReport[];
  /** The worst first. */
  readonly findings: readonly ConsumerFinding[];
}

export interface CellReport {
  readonly cell: string;
  /** False: the config names no consumers, and these were found. */
  readonly declared: boolean;
  readonly consumers: readonly ConsumerReport[];
  readonly findings: readonly ConsumerFinding[];
}

export interface ConsumerReport {
  readonly kind: ConsumerKind;
  readonly name: ConsumerOfCell['name'];
  readonly primary: ConsumerInRegion;
  readonly standby: ConsumerInRegion;
}

export interface ConsumerInRegion {
  readonly region: string;
  readonly stream: string;
  /** Whether records that arrive there now are read, as far as it is known. */
  readonly works: Working;
  /** How old what it read last was. Null: not known, or it reads nothing just now. */
  readonly lagMs: number | null;
  readonly retentionHours: number | null;
  /** Until retention takes what it has not read; null: not known. */
  readonly retentionLeftMs: number | null;
  /** As they were read; null: nothing is known. What is absent is not known. */
  readonly facts: ConsumerFacts | null;
}

const HOUR_MS = 3_600_000;

/** Pure: judges what was read. */
export function reportOf({ atMs, cells, obstacles }: Omit<ConsumersRead, 'failures'>): ConsumersReport {
  const judged = cells.map((cell) => ({ cell, findings: worstFirst(judgeCell(cell, atMs)) }));
  const findings = worstFirst([
    ...judgeObstacles(obstacles),
    ...judged.flatMap(({ findings: some }) => some),
  ]);
  const count = (level: ConsumerFinding['level']): number =>
    findings.filter((finding) => finding.level === level).length;
  const counts = { bad: count('bad'), unknown: count('unknown'), note: count('note') };
  return {
    ...{ ok: counts.bad === 0, name: 'consumers', atMs, counts },
    cells: judged.map(({ cell, findings: own }) => ({
      ...{ cell: cell.cell, declared: cell.declared },
      consumers: cell.consumers.map((consumer) => consumerReport(cell, consumer, own)),
      findings: own,
    })),
    findings,
  };
}

function consumerReport(
  cell: ConsumersOfCell,
  consumer: ConsumerOfCell,
  findings: readonly ConsumerFinding[],
): ConsumerReport {
  const inRegion = (role: Role): ConsumerInRegion => {
    const { region, name: stream, retentionHours = null } = cell.streams[role];
    const facts = consumer.facts[role] ?? null;
    const lagMs = facts?.lagMs ?? null;
    return {
      ...{ region, stream, works: workingIn(consumer, role, findings), lagMs, retentionHours },
      retentionLeftMs:
        lagMs === null || retentionHours === null ? null : Math.max(0, retentionHours * HOUR_MS - lagMs),
      facts,
    };
  };
  const { kind, name } = consumer;
  return { kind, name, primary: inRegion('primary'), standby: inRegion('standby') };
}
