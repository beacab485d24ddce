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

A run is one act under one epoch. Its lease is ${LEASE_MS / 1_000} s long, renewed by each step and given back at the end. Every step may be
repeated: an evacuation by the quorum whose run has died is started again under the same epoch, by the standby's observer after
${RESTART_MS / 60_000} minutes, and goes on; whoever asked for another act asks again. A newer epoch fences an older run in every write; if it left groups of an evacuation that is still due, that goes on under a new epoch, and leaves alone what was set meanwhile. What a run has found is below the table of \`spillway history\`, and in
\`spillway status\` while no newer act has begun.

## An evacuation

${stepTable(evacuationSteps)}

## A failback, after \`lease\`

\`release\` and \`watch\` alternate, stage by stage; \`notify\` and \`finish\` end it as well.

${stepTable(failbackSteps)}

Refused by any of these, unless forced:

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
        ? `\`${step}\` could not finish; the run stopped there.`
        : `\`${step}\` could not finish; the run went on.`,
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
      `${whenItFails.state}${whenItFails.stops ? '' : ', and it goes on'}`,
    ]),
  );

/** As for every cell; a run of some names them. */
const filled = (command: string): string =>
  command === '' ? '' : `\`${nextCommand(command, { epoch: 7 })}\``;
