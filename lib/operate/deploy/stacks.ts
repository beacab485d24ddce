import {
  CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateCommand,
  type Stack,
} from '@aws-sdk/client-cloudformation';
import pMap from 'p-map';
import { stackStateOf } from '../../deployments/stack-status.ts';
import { parseTemplate, type Template } from '../../deployments/template.ts';
import type { AwsClients } from '../clients.ts';
import { StackBusyError } from './errors.ts';

/** A stack as CloudFormation has it. */
export interface DeployedStack {
  readonly status: string;
  /** Absent: there is nothing yet that could be compared. */
  readonly template?: Template;
  readonly outputs: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly changedAtMs: number;
}

export interface StackPlace {
  readonly name: string;
  readonly region: string;
}

export interface StackReader {
  readonly clients: AwsClients;
  readonly signal: AbortSignal;
  readonly sleep: (ms: number) => Promise<void>;
  readonly say: (text: string) => void;
}

/** CloudFormation answers some calls a second for a region; more at once would be throttled. */
const PARALLEL = 6;
const ATTEMPTS = 5;
const AGAIN_MS = 1_000;
const POLL_MS = 5_000;
/** An update of a stack of records takes minutes; one that takes longer than this hangs. */
const BUSY_TIMEOUT_MS = 1_800_000;

/**
 * What is deployed of these stacks, by name; those that do not exist are left out. Waits for stacks that
 * CloudFormation is still changing. @throws StackBusyError when that takes too long, or what CloudFormation throws
 */
export async function readStacks(
  places: readonly StackPlace[],
  reader: StackReader,
): Promise<ReadonlyMap<string, DeployedStack>> {
  const read = await pMap(places, async (place) => [place.name, await readStack(place, reader)] as const, {
    concurrency: PARALLEL,
    signal: reader.signal,
  });
  return new Map(read.flatMap(([name, stack]) => (stack === undefined ? [] : [[name, stack] as const])));
}

async function readStack(place: StackPlace, reader: StackReader): Promise<DeployedStack | undefined> {
  const found = await settled(place, reader);
  if (found === undefined) return undefined;
  const { StackStatus: status = '', Outputs = [], Tags = [], LastUpdatedTime, CreationTime } = found;
  const facts = {
    status,
    outputs: Object.fromEntries(
      Outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
    ),
    tags: Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value])),
    changedAtMs: (LastUpdatedTime ?? CreationTime)?.getTime() ?? 0,
  };
  if (stackStateOf(status).state === 'absent') return facts;
  const template = await readTemplate(place, reader);
  return { ...facts, ...(template === undefined ? {} : { template }) };
}

/** The stack, once CloudFormation is not at work on it. */
async function settled(place: StackPlace, reader: StackReader): Promise<Stack | undefined> {
  const endsAtMs = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    const stack = await describe(place, reader);
    const status = stack?.StackStatus ?? '';
    if (stack === undefined || stackStateOf(status).state !== 'wait') return stack;
    if (performance.now() >= endsAtMs) {
      throw new StackBusyError(
        `${place.name} in ${place.region} has been in ${status} for ${BUSY_TIMEOUT_MS / 60_000} min: see its events in CloudFormation, and deploy again when it is done.`,
      );
    }
    reader.say(`waiting for CloudFormation: ${place.name} is in ${status}`);
    await reader.sleep(POLL_MS);
  }
}

/** Stacks that CloudFormation is at work on now. */
export async function busyStacks(
  places: readonly StackPlace[],
  reader: StackReader,
): Promise<readonly string[]> {
  const found = await pMap(
    places,
    async (place) => {
      const status = (await describe(place, reader).catch(() => undefined))?.StackStatus ?? '';
      return stackStateOf(status).state === 'wait' ? [place.name] : [];
    },
    { concurrency: PARALLEL },
  );
  return found.flat();
}

async function describe({ name, region }: StackPlace, reader: StackReader): Promise<Stack | undefined> {
  const client = reader.clients.other(CloudFormationClient, region);
  try {
    const answer = await patiently(reader, () => client.send(new DescribeStacksCommand({ StackName: name })));
    return answer.Stacks?.[0];
  } catch (error) {
    if (isNoSuchStack(error)) return undefined;
    throw error;
  }
}

async function readTemplate(
  { name, region }: StackPlace,
  reader: StackReader,
): Promise<Template | undefined> {
  const client = reader.clients.other(CloudFormationClient, region);
  const command = new GetTemplateCommand({ StackName: name, TemplateStage: 'Original' });
  const { TemplateBody } = await patiently(reader, () => client.send(command));
  try {
    return parseTemplate(JSON.parse(TemplateBody ?? ''));
  } catch {
    // Somebody has written it by hand, as YAML: it is compared as if there were none.
    return undefined;
  }
}

const isNoSuchStack = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ValidationError' && /does not exist/i.test(error.message);

/** These clients make one attempt, for the failover path; here there is time. */
async function patiently<Answer>({ sleep }: StackReader, call: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      const name = error instanceof Error ? error.name : '';
      const isPassing = /Throttl|Rate|Timeout|TimeoutError|ServiceUnavailable|InternalFailure/.test(name);
      if (!isPassing || attempt >= ATTEMPTS) throw error;
      await sleep(AGAIN_MS * attempt);
    }
  }
}
