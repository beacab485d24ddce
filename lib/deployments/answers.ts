import { z } from 'zod';
import type { Role } from '../../lambda/core/role.ts';
import { parseSignal } from '../../lambda/core/signal.ts';
import type { Template } from './template.ts';

/** A name that people ask for, and its answers in both regions, by a template. */
export interface PublicName {
  /** Without the closing full stop. */
  readonly name: string;
  readonly type: 'TXT' | 'A' | 'AAAA' | 'CNAME';
  readonly primary: readonly string[];
  readonly standby: readonly string[];
}

export const nameKey = ({ name, type }: Pick<PublicName, 'name' | 'type'>): string => `${name} ${type}`;

const recordSchema = z.object({
  Name: z.string(),
  Type: z.enum(['TXT', 'A', 'AAAA', 'CNAME']),
  Failover: z.enum(['PRIMARY', 'SECONDARY']).optional(),
  ResourceRecords: z.array(z.string()).optional(),
  AliasTarget: z.object({ DNSName: z.string() }).optional(),
});
type RecordOf = z.infer<typeof recordSchema>;

export const RECORD_SET = 'AWS::Route53::RecordSet';

/** The names of a template's failover trees. */
export function publicNames({ Resources }: Template): readonly PublicName[] {
  const records = Object.values(Resources).flatMap(({ Type, Properties }) => {
    const parsed = Type === RECORD_SET ? recordSchema.safeParse(Properties) : undefined;
    return parsed?.success ? [parsed.data] : [];
  });
  const valuesOf = ({ ResourceRecords, AliasTarget, Type }: RecordOf): readonly string[] =>
    ResourceRecords ??
    records.find(({ Name, Type: type }) => Name === AliasTarget?.DNSName && type === Type)?.ResourceRecords ??
    [];
  return records.flatMap((record) => {
    if (record.Failover !== 'PRIMARY') return [];
    const other = records.find(
      ({ Name, Type, Failover }) => Name === record.Name && Type === record.Type && Failover === 'SECONDARY',
    );
    return [
      {
        name: bare(record.Name),
        type: record.Type,
        primary: plain(valuesOf(record)),
        standby: other === undefined ? [] : plain(valuesOf(other)),
      },
    ];
  });
}

export const bare = (name: string): string => name.replace(/\.$/, '');
/** Route 53 wants quotes around texts; DNS answers without them. */
const plain = (values: readonly string[]): readonly string[] =>
  values.map((value) => value.replace(/^"(.*)"$/, '$1'));

/**
 * What a name answered: its values; none, when DNS says that there is none; `silent`, when nobody answered,
 * which says nothing about the name.
 */
export type Answered = readonly string[] | 'silent';

/** Where an answer sends traffic, by any of these versions of the name; undefined when none knows it. */
export function roleOf(answer: Answered, versions: readonly PublicName[]): Role | undefined {
  if (answer === 'silent' || answer.length === 0) return undefined;
  const roles = versions.map((version) => roleIn(answer, version));
  return roles.find((role) => role !== undefined);
}

function roleIn(answer: readonly string[], { type, primary, standby }: PublicName): Role | undefined {
  const is = placeOf(answer, type);
  const [inPrimary, inStandby] = [is === placeOf(primary, type), is === placeOf(standby, type)];
  // Where both regions answer the same, an answer says nothing about the region.
  if (inPrimary === inStandby) return undefined;
  return inPrimary ? 'primary' : 'standby';
}

/** What must be the same for two answers to be of the same region: of a signal, the region alone. */
function placeOf(values: readonly string[], type: PublicName['type']): string {
  const [only = ''] = values;
  const [region] = type === 'TXT' ? regionIn(only) : [];
  return (
    region ??
    values
      .map((value) => bare(value.toLowerCase()))
      .toSorted()
      .join(' ')
  );
}

/** The region that the text of a signal names, whichever it is; none for any other text. */
export function regionIn(text: string): readonly string[] {
  const region = /\bregion=([a-z0-9-]+)/.exec(text)?.[1];
  if (region === undefined) return [];
  const parsed = parseSignal(text, [region]);
  return parsed.ok ? [parsed.signal.region] : [];
}

export interface NameFinding {
  readonly name: string;
  readonly type: PublicName['type'];
  readonly from: Role;
  /** `none`: the name has no answer any more. */
  readonly to: Role | 'none' | 'unknown';
  readonly answer: readonly string[];
}

export interface AnswersFound {
  /** Names that answer for another region than before, or not any more. */
  readonly moved: readonly NameFinding[];
  /** Names that nobody answered for. */
  readonly silent: readonly string[];
  /** Names that answer for the region that they answered for. */
  readonly held: number;
}

export interface AnswersQuestion {
  /** Names that must go on, each in its versions: as deployed before, and as it will be. */
  readonly names: ReadonlyMap<string, readonly PublicName[]>;
  /** The region of each name before anything was changed; names whose region was not known are not here. */
  readonly before: ReadonlyMap<string, Role>;
  readonly now: ReadonlyMap<string, Answered>;
}

/** Compares what names answer now with what they answered before a deployment. */
export function judgeAnswers({ names, before, now }: AnswersQuestion): AnswersFound {
  const moved: NameFinding[] = [];
  const silent: string[] = [];
  let held = 0;
  for (const [key, versions] of names) {
    const from = before.get(key);
    const [first] = versions;
    if (from === undefined || first === undefined) continue;
    const answer = now.get(key) ?? 'silent';
    if (answer === 'silent') {
      silent.push(first.name);
      continue;
    }
    const to = answer.length === 0 ? 'none' : (roleOf(answer, versions) ?? 'unknown');
    if (to === from) held += 1;
    else moved.push({ name: first.name, type: first.type, from, to, answer });
  }
  return { moved, silent, held };
}
