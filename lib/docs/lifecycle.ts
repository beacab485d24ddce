import {
  type LifeEvent,
  lifeEventNames,
  lifeEvents,
  lifeGuards,
  type Phase,
  phaseNames,
  phases,
  type Transition,
  transitions,
} from '../../lambda/core/lifecycle.ts';
import { markdownTable } from './markdown.ts';

/** `docs/lifecycle.md`: the phases, the diagram and every row of the transition table. */
export function lifecycleDocument(): string {
  return `# The life of a vote, and of a cell

Generated from \`lambda/core/lifecycle.ts\` by \`npm run docs\`: change the table, not this file.

${markdownTable(
  ['phase', 'vote', 'meaning'],
  phaseNames.map((name) => [name, phases[name].vote, phases[name].meaning]),
)}

Each round of an observer brings exactly one event:

${markdownTable(
  ['event', 'meaning'],
  lifeEventNames.map((name) => [name, lifeEvents[name]]),
)}

\`\`\`mermaid
${diagram()}
\`\`\`

## Every transition

The first row of (from, event) whose guards hold is taken; its comment is the line in the log. An event without a row is an
error. \`cast\` begins an epoch; \`withdraw\` ends one and starts the cooldown; \`drop\` ends one that moved nothing.

${markdownTable(
  ['from', 'event', 'guards', 'to', 'action', 'comment'],
  transitions.map((row) => [row.from, row.event, row.guards.join(', '), row.to, row.action, row.comment]),
)}

Guards:

${markdownTable(
  ['guard', 'holds when'],
  Object.entries(lifeGuards).map(([name, { meaning }]) => [name, meaning]),
)}
`;
}

/**
 * Arrows between different phases, one for each pair, labelled with the events and guards that take it. An
 * arrow that leaves every phase of HOLD in the same way is drawn once, from the box around these phases.
 */
function diagram(): string {
  const box = phaseNames.filter((name) => phases[name].vote === 'HOLD');
  const rowsOf = (from: Phase, to: Phase): readonly Transition[] =>
    from === to ? [] : transitions.filter((row) => row.from === from && row.to === to);
  const arrow = (from: string, to: Phase, label: string): string => `  ${from} --> ${to}: ${label}`;
  const lines = phaseNames.flatMap((to) => {
    const labels = phaseNames.flatMap((from) => {
      const rows = rowsOf(from, to);
      return rows.length === 0 ? [] : [{ from, label: labelOf(rows) }];
    });
    const counted = Map.groupBy(
      labels.filter(({ from }) => box.includes(from)),
      ({ label }) => label,
    );
    const others = box.filter((name) => name !== to).length;
    const shared = [...counted].find(([, list]) => list.length === others)?.[0];
    return [
      ...(shared === undefined ? [] : [arrow('holding', to, shared)]),
      ...labels
        .filter(({ from, label }) => label !== shared || !box.includes(from))
        .map(({ from, label }) => arrow(from, to, label)),
    ];
  });
  const state = (name: Phase): string => `  ${name}: ${name} (${phases[name].vote})`;
  return [
    'stateDiagram-v2',
    '  [*] --> steady',
    '  state "any of these, whose vote is HOLD" as holding {',
    ...box.map((name) => `  ${state(name)}`),
    '  }',
    ...phaseNames.filter((name) => !box.includes(name)).map(state),
    ...lines,
  ].join('\n');
}

function labelOf(rows: readonly Transition[]): string {
  const byGuard = Map.groupBy(rows, ({ guards }) => guards.join(', '));
  return [...byGuard]
    .map(([guard, list]) => `${eventsOf(list.map(({ event }) => event))}${guard === '' ? '' : ` [${guard}]`}`)
    .join(' / ');
}

const eventsOf = (events: readonly LifeEvent[]): string => [...new Set(events)].join(', ');
