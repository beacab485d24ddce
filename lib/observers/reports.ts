import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { type ObserverReport, observerReport } from '../../lambda/core/conductor-observers.ts';
import { observerKey } from '../../lambda/core/vote.ts';

export interface ReportSource {
  readonly region: string;
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
}

const REPORT_TIMEOUT_MS = 2_000;

/** Reads what an observer has stored; undefined when its region does not answer in time. */
export async function readObserverItem({
  client,
  table,
}: ReportSource): Promise<Record<string, unknown> | undefined> {
  try {
    const { Item } = await client.send(
      new GetCommand({ TableName: table, Key: observerKey, ConsistentRead: true }),
      { abortSignal: AbortSignal.timeout(REPORT_TIMEOUT_MS) },
    );
    return Item;
  } catch {
    return undefined;
  }
}

/** Reads the reports of the observers that answer, all at the same time. */
export async function readReports(
  sources: readonly ReportSource[],
  nowMs: () => number,
): Promise<readonly ObserverReport[]> {
  const items = await Promise.all(
    sources.map(async (source) => [source, await readObserverItem(source)] as const),
  );
  return items.flatMap(([{ region }, item]) => {
    const report = observerReport(region, item, nowMs());
    return report === undefined ? [] : [report];
  });
}
