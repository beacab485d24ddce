import type { Call } from '../aws/call-log.ts';
import { auditRules, isCheckerRequest, isOnPath, serviceOf } from './audit-rules.ts';
import { callSchema } from './calls.ts';
import { UsageError } from './errors.ts';

export interface Violation {
  readonly rule: string;
  readonly reason: string;
  readonly source: string;
  readonly call: Call;
  /** How often the same call was made by the same part. */
  readonly times: number;
}

export interface AuditReport {
  readonly ok: boolean;
  readonly primary: string;
  /** AWS calls; requests of Route 53's checkers to the endpoints do not count. */
  readonly calls: number;
  readonly checkerRequests: number;
  /** Of those, on the failover path. */
  readonly onPath: number;
  /** Calls to the primary that are allowed, by the rule that allows them. */
  readonly allowed: Readonly<Record<string, number>>;
  /** Violating calls. */
  readonly violations: number;
  readonly distinct: readonly Violation[];
}

/** Pure: judges recorded calls against the rules. */
export function audit(calls: readonly Call[], primary: string): AuditReport {
  const made = calls.filter((call) => !isCheckerRequest(call));
  const path = made.filter(isOnPath);
  const allowed: Record<string, number> = {};
  const distinct = new Map<string, Violation>();
  let violations = 0;
  for (const call of path) {
    const rule = auditRules.find(({ matches }) => matches(call, primary));
    if (rule === undefined) continue;
    if (rule.judgement === 'allowed') {
      allowed[rule.rule] = (allowed[rule.rule] ?? 0) + 1;
      continue;
    }
    violations += 1;
    const key = [rule.rule, serviceOf(call), call.operation, call.region, call.who].join(' ');
    const times = (distinct.get(key)?.times ?? 0) + 1;
    distinct.set(key, { rule: rule.rule, reason: rule.reason, source: rule.source, call, times });
  }
  return {
    ok: violations === 0,
    primary,
    calls: made.length,
    checkerRequests: calls.length - made.length,
    onPath: path.length,
    allowed,
    violations,
    distinct: [...distinct.values()],
  };
}

/** One JSON object a line; empty lines are skipped. @throws UsageError that names the line */
export function parseCalls(text: string, file: string): readonly Call[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    try {
      return [callSchema.parse(JSON.parse(line))];
    } catch (cause) {
      throw new UsageError(
        `${file}, line ${index + 1}: not a call. Write {"service","operation","region","endpoint","who"} as one JSON object per line.`,
        { cause },
      );
    }
  });
}
