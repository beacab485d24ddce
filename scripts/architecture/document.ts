import { markdownTable } from '../../lib/docs/markdown.ts';
import { folders } from './folders.ts';
import type { ImportGraph } from './graph.ts';
import { layers } from './rules.ts';

type Imports = ImportGraph['imports'];

/**
 * `docs/architecture.md`: the folders, which folder calls which, and the rules that `npm run lint` checks.
 */
export function architectureDocument(imports: Imports): string {
  const names = [...imports.keys()].filter((name) => !name.startsWith('scripts')).sort();
  return `# Architecture

Generated from the imports: \`npm run docs\`. Entries call \`lib\`, and \`lib\` calls \`lambda/core\`, which calls nothing:

${diagram(imports)}

An arrow means "imports". Arrows that follow from others are left out, and so are folders within a folder of \`lib\`.

${markdownTable(
  ['Folder', 'Contents', 'Called by', 'Imports'],
  names.map((name) => [
    `\`${name}/\``,
    folders[name] ?? '',
    list(names.filter((other) => imports.get(other)?.has(name))),
    list([...(imports.get(name) ?? [])].sort()),
  ]),
)}

What a folder may import follows from these rules, which \`npm run lint\` checks. Tests and scripts may import everything.

${markdownTable(
  ['Rule', 'Reason'],
  layers.forbidden.map(({ name, comment }) => [name, comment]),
)}
`;
}

const list = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ') || 'nobody';

/** Boxes are the first two levels of folders. */
const boxOf = (name: string): string => name.split('/').slice(0, 2).join('/');

const levels = [
  ['Entries', /^bin$|^lambda\/(?!core$)/],
  ['Library', /^lib\//],
  ['Core', /^lambda\/core$/],
] as const;

function diagram(imports: Imports): string {
  const boxes = boxesOf(imports);
  const id = (name: string): string => name.replaceAll(/[^a-z0-9]/g, '_');
  const lines = levels.flatMap(([title, pattern]) => [
    `  subgraph ${title}`,
    ...[...boxes.keys()].filter((name) => pattern.test(name)).map((name) => `    ${id(name)}["${name}"]`),
    '  end',
  ]);
  const arrows = [...boxes].flatMap(([from, targets]) =>
    [...targets].filter((to) => !isReached(boxes, { from, to })).map((to) => `  ${id(from)} --> ${id(to)}`),
  );
  return ['```mermaid', 'flowchart TD', ...lines, ...arrows, '```'].join('\n');
}

export function boxesOf(imports: Imports): Map<string, Set<string>> {
  const boxes = new Map<string, Set<string>>();
  for (const [name, targets] of [...imports].sort(([a], [b]) => a.localeCompare(b, 'en'))) {
    if (name.startsWith('scripts')) continue;
    const from = boxOf(name);
    const box = boxes.get(from) ?? new Set<string>();
    boxes.set(from, box);
    for (const target of [...targets].sort()) if (boxOf(target) !== from) box.add(boxOf(target));
  }
  return boxes;
}

/** Whether there is a longer path than the arrow itself. */
function isReached(
  boxes: ReadonlyMap<string, ReadonlySet<string>>,
  { from, to }: { readonly from: string; readonly to: string },
): boolean {
  const seen = new Set<string>([from]);
  const queue = [...(boxes.get(from) ?? [])].filter((next) => next !== to);
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (next === to) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    queue.push(...(boxes.get(next) ?? []));
  }
  return false;
}
