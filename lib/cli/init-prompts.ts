import { confirm, group, intro, note, select, text } from '@clack/prompts';
import { UsageError } from '../operate/errors.ts';
import type { Answers } from '../operate/init-config.ts';

const required = (value: string | undefined): string | undefined =>
  value === undefined || value.trim() === '' ? 'This is needed.' : undefined;

/** The questions of `spillway init`. Ctrl-C ends it with nothing written. */
export async function askForConfig(): Promise<Answers> {
  intro('spillway init');
  const answers = await group(
    {
      name: () =>
        text({ message: 'Prefix of every physical name', initialValue: 'spillway', validate: required }),
      zoneName: () =>
        text({ message: 'Public hosted zone', placeholder: 'shop.example.com', validate: required }),
      zoneId: () =>
        text({ message: 'Its id in Route 53', placeholder: 'Z0123456789ABCDEFGHIJ', validate: required }),
      streams: () =>
        text({
          message: 'Kinesis streams to protect, separated by commas',
          placeholder: 'orders,clicks',
          validate: required,
        }),
      primary: () => text({ message: 'Primary region', initialValue: 'us-east-1', validate: required }),
      standby: () => text({ message: 'Standby region', initialValue: 'us-west-2', validate: required }),
      witnesses: () =>
        text({
          message: 'Witness regions, two or more',
          initialValue: 'us-east-2,eu-west-1',
          validate: required,
        }),
      drill: () =>
        confirm({ message: 'A cell without traffic, which is moved each week to prove that it works?' }),
      mode: () =>
        select({
          message: 'How autonomous may it be at first?',
          options: [
            { value: 'observe', label: 'observe', hint: 'diagnoses and logs, never moves anything' },
            { value: 'approve', label: 'approve', hint: 'moves when an operator consents' },
            { value: 'auto', label: 'auto', hint: 'moves by itself, in under a minute' },
          ],
        }),
    },
    {
      onCancel: () => {
        throw new UsageError('Nothing was written.');
      },
    },
  );
  note('Each cell with a switch of its own costs a health check; the estimate follows.', 'cost');
  const list = (names: string): readonly string[] =>
    names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
  return { ...answers, streams: list(answers.streams), witnesses: list(answers.witnesses) };
}
