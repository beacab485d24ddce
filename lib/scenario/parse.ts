import { type Document, isMap, isNode, isPair, LineCounter, parseAllDocuments, type YAMLError } from 'yaml';
import type { z } from 'zod';
import { say, splitMessage } from '../config/fields.ts';
import { ScenarioError, type ScenarioProblem } from './errors.ts';
import { type Scenario, scenarioSchema, toScenario } from './schema.ts';

/** The largest scenario; a long outage takes a few kilobytes. */
export const MAX_SCENARIO_BYTES = 256 * 1024;
/** Anchors may save some typing; more would be an attempt to exhaust memory. */
const MAX_ALIASES = 50;
const MAX_PROBLEMS = 50;

/**
 * Reads a scenario. `file` only names the source in the error.
 *
 * @throws ScenarioError with every problem found (at most 50).
 */
export function parseScenario(text: string, file: string): Scenario {
  if (Buffer.byteLength(text) > MAX_SCENARIO_BYTES) {
    throw new ScenarioError(file, [
      {
        path: '',
        problem: `is larger than ${MAX_SCENARIO_BYTES / 1024} KiB`,
        fix: 'Split the file into several scenarios.',
      },
    ]);
  }
  const lines = new LineCounter();
  const document = readYaml(text, file, lines);
  const parsed = scenarioSchema.safeParse(plainData(document, file), { error: wording });
  if (parsed.success) return toScenario(parsed.data);
  const problems = parsed.error.issues.flatMap(problemsOf).slice(0, MAX_PROBLEMS);
  throw new ScenarioError(
    file,
    problems.map(({ keys, ...problem }) => {
      const line = lineOf(document, lines, keys);
      return line === undefined ? problem : { ...problem, line };
    }),
  );
}

function readYaml(text: string, file: string, lineCounter: LineCounter): Document.Parsed {
  let documents: readonly Document.Parsed[];
  try {
    const all = parseAllDocuments(text, { version: '1.2', schema: 'core', prettyErrors: false, lineCounter });
    documents = 'empty' in all ? [] : all;
  } catch (cause) {
    // The parser is recursive: deep nesting exhausts its stack.
    throw unreadable(file, { problem: 'cannot be read as YAML', fix: 'Check the nesting.' }, { cause });
  }
  const [document, second] = documents;
  if (document === undefined) throw unreadable(file, { problem: 'is empty', fix: 'Write a scenario.' });
  if (second !== undefined) {
    throw unreadable(file, {
      problem: 'holds several YAML documents',
      fix: 'Keep one document, and remove the "---".',
    });
  }
  const faulty = [...document.errors, ...document.warnings].slice(0, MAX_PROBLEMS);
  if (faulty.length > 0) {
    throw new ScenarioError(
      file,
      faulty.map((error) => yamlProblem(error, lineCounter)),
      { cause: faulty[0] },
    );
  }
  return document;
}

function yamlProblem(error: YAMLError, lines: LineCounter): ScenarioProblem {
  const { line } = lines.linePos(error.pos[0]);
  return { path: '', line, problem: `is not YAML: ${error.message}`, fix: 'Correct that line.' };
}

function plainData(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw unreadable(file, { problem: `cannot be read: ${reason}`, fix: 'Write the values out.' }, { cause });
  }
}

function unreadable(
  file: string,
  what: Omit<ScenarioProblem, 'path'>,
  options?: ErrorOptions,
): ScenarioError {
  return new ScenarioError(file, [{ path: '', ...what }], options);
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of keys',
};

/**
 * Words a problem where the schema does not, because the library's own words speak of types and "undefined".
 */
function wording(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'invalid_type') return undefined;
  const kind = kinds[issue.expected] ?? 'a value that fits';
  return issue.input === undefined
    ? say('is missing', `Write ${kind}.`)
    : say(`is not ${kind}`, `Write ${kind}.`);
}

interface KeyedProblem extends ScenarioProblem {
  readonly keys: readonly PropertyKey[];
}

function problemsOf(issue: z.core.$ZodIssue): readonly KeyedProblem[] {
  // A union only says that no branch fits; the branch whose type fits knows what is wrong.
  if (issue.code === 'invalid_union') {
    const branch = issue.errors.find(([first]) => first !== undefined && !wrongType(first));
    if (branch !== undefined) {
      return branch.flatMap((nested) => problemsOf({ ...nested, path: [...issue.path, ...nested.path] }));
    }
  }
  const keys = issue.code === 'unrecognized_keys' ? [...issue.path, ...issue.keys.slice(0, 1)] : issue.path;
  return [{ path: pathOf(issue.path), keys, ...splitMessage(issue.message) }];
}

/** Whether a branch of a union was not even meant: its first complaint is about the type of the whole. */
const wrongType = (issue: z.core.$ZodIssue): boolean =>
  issue.path.length === 0 &&
  (issue.code === 'invalid_type' ||
    (issue.code === 'invalid_union' &&
      issue.errors.every(([first]) => first !== undefined && wrongType(first))));

function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}

/** Line of the key or item at this path, or of the nearest thing around it that is in the text. */
function lineOf(
  document: Document.Parsed,
  lines: LineCounter,
  keys: readonly PropertyKey[],
): number | undefined {
  for (let depth = keys.length; depth > 0; depth--) {
    const parent = document.getIn(keys.slice(0, depth - 1), true);
    const key = keys[depth - 1];
    const node = isMap(parent)
      ? parent.items.find((pair) => isPair(pair) && isNode(pair.key) && String(pair.key) === key)?.key
      : document.getIn(keys.slice(0, depth), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}
