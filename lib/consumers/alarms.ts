import { type CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import type { OtherFacts } from '../../lambda/core/consumer-facts.ts';
import type { Asker } from './asker.ts';

type AlarmState = NonNullable<OtherFacts['alarm']>;
const states: readonly AlarmState[] = ['OK', 'ALARM', 'INSUFFICIENT_DATA'];
/** As many names as DescribeAlarms takes, and as many alarms as it gives. */
const AT_ONCE = 100;

/** The state of each of these alarms; absent: not known. */
export async function readAlarms(
  asker: Asker,
  { client, names }: { readonly client: CloudWatchClient; readonly names: readonly string[] },
): Promise<ReadonlyMap<string, AlarmState>> {
  const found = new Map<string, AlarmState>();
  const wanted = [...new Set(names)];
  for (let n = 0; n < wanted.length; n += AT_ONCE) {
    const some = wanted.slice(n, n + AT_ONCE);
    const answer = await asker.ask({
      service: 'CloudWatch',
      action: 'cloudwatch:DescribeAlarms',
      ask: (abortSignal) =>
        client.send(
          new DescribeAlarmsCommand({
            AlarmNames: some,
            AlarmTypes: ['MetricAlarm', 'CompositeAlarm'],
            MaxRecords: AT_ONCE,
          }),
          { abortSignal },
        ),
    });
    if (answer === undefined) continue;
    const { MetricAlarms = [], CompositeAlarms = [] } = answer === 'missing' ? {} : answer.value;
    for (const name of some) found.set(name, 'missing');
    for (const { AlarmName = '', StateValue } of [...MetricAlarms, ...CompositeAlarms]) {
      const state = states.find((one) => one === StateValue);
      if (state === undefined) found.delete(AlarmName);
      else found.set(AlarmName, state);
    }
  }
  return found;
}
