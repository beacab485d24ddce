import {
  type LifeEvent,
  lifeEventNames,
  lifeEvents,
  lifeGuards,
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

The first row of (from, event) whose guards hold is taken; its comment is the line in the log. An event without a row is
an error. \`cast\` begins an epoch; \`withdraw\` ends one and starts the cooldown; \`drop\` ends one that moved nothing.

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

/** Arrows between different phases, one for each pair, labelled with the events and guards that take it. */
function diagram(): string {
  const edges = Map.groupBy(
    transitions.filter(({ from, to }) => from !== to),
    ({ from, to }) => `  ${from} --> ${to}`,
  );
  const lines = [...edges].map(([arrow, rows]) => `${arrow}: ${labelOf(rows)}`);
  const notes = phaseNames.map((name) => `  ${name}: ${name} (${phases[name].vote})`);
  return ['stateDiagram-v2', '  [*] --> steady', ...notes, ...lines].join('\n');
}

function labelOf(rows: readonly Transition[]): string {
  const byGuard = Map.groupBy(rows, ({ guards }) => guards.join(', '));
  return [...byGuard]
    .map(([guard, list]) => `${eventsOf(list.map(({ event }) => event))}${guard === '' ? '' : ` [${guard}]`}`)
    .join(' / ');
}

const eventsOf = (events: readonly LifeEvent[]): string => [...new Set(events)].join(', ');
