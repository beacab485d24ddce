import {
  type ConductorStep,
  evacuationSteps,
  failbackSteps,
  LEASE_MS,
  nextCommand,
  RESTART_MS,
  runEnds,
} from '../../lambda/core/conductor.ts';
import { failbackGuards } from '../../lambda/core/failback.ts';
import { markdownTable } from './markdown.ts';

/** `docs/conductor.md`: the steps, and every state that a run may leave behind, with the next command. */
export function conductorDocument(): string {
  return `# The conductor

Generated from \`lambda/core/conductor.ts\` and \`lambda/core/failback.ts\` by \`npm run docs\`: change the tables, not this file.

A run carries out one act under one epoch. Its lease lasts ${LEASE_MS / 1_000} s; each step renews the lease, and the last step gives it back. Every step can
be repeated. If the run of an evacuation by the quorum dies, the standby's observer starts the run again under the same epoch after
${RESTART_MS / 60_000} minutes, and the run goes on. If the run of any other act dies, whoever asked for the act has to ask again. A newer epoch
fences an older run in every write. If the newer act does not cover every group of an evacuation that is still due, the evacuation
goes on under a new epoch, and leaves alone what was set meanwhile. \`spillway history\` shows a run's findings below its table;
\`spillway status\` shows them while no newer act has begun.

## An evacuation

${stepTable(evacuationSteps)}

## A failback, after \`lease\`

\`release\` and \`watch\` alternate, stage by stage; \`notify\` and \`finish\` end a failback as well.

${stepTable(failbackSteps)}

Each of these guards can refuse a failback, unless it is forced:

${markdownTable(
  ['guard', 'why it is there'],
  failbackGuards.map(({ rule, purpose }) => [rule, purpose]),
)}

## How a run ends

${markdownTable(
  ['state', 'what it means', 'next'],
  [
    ...runEnds.map(({ state, meaning, nextCommand: next = '' }) => [state, meaning, filled(next)]),
    ...[...evacuationSteps, ...failbackSteps].map(({ step, whenItFails }) => [
      whenItFails.state,
      whenItFails.stops
        ? `\`${step}\` could not finish, and the run stopped there.`
        : `\`${step}\` could not finish, and the run went on.`,
      filled(whenItFails.nextCommand),
    ]),
  ],
)}
`;
}

const stepTable = (steps: readonly ConductorStep[]): string =>
  markdownTable(
    ['step', 'why', 'time-out', 'repeated', 'when it cannot finish'],
    steps.map(({ step, purpose, timeoutMs, retry, whenItFails }) => [
      step,
      purpose,
      `${timeoutMs / 1_000} s`,
      `${retry.attempts} times`,
      `${whenItFails.state}${whenItFails.stops ? '' : ', and the run goes on'}`,
    ]),
  );

/** Shows a command as for every cell; a run of some cells names them. */
const filled = (command: string): string =>
  command === '' ? '' : `\`${nextCommand(command, { epoch: 7 })}\``;
