import { blames } from '../../lambda/core/blame.ts';
import { diagnoses } from '../../lambda/core/diagnosis.ts';
import { roundsToClear, roundsToDown } from '../../lambda/core/evidence.ts';
import { guards } from '../../lambda/core/guards.ts';
import { modelSettings, signalNames, signals } from '../../lambda/core/observation.ts';
import type { Policy } from '../../lambda/core/policy.ts';
import { errorClasses } from '../../lambda/core/probe.ts';
import { BEARABLE_GAINS, UNBEARABLE_GAINS } from '../../lambda/core/severity.ts';
import { markdownTable } from './markdown.ts';

const yesNo = (value: boolean): string => (value ? 'yes' : 'no');
const percent = (share: number): string => `${Math.round(share * 100)} %`;
const seconds = (ms: number): string => `${ms / 1_000} s`;

/**
 * `docs/diagnoses.md`: what is probed, how it is weighed, what is concluded, and what can refuse an
 * evacuation.
 */
export function diagnosesDocument(policy: Policy): string {
  return `# Diagnoses

Generated from the tables in \`lambda/core\` by \`npm run docs\`: change the tables, not this file.

## What is probed

Each observer probes both regions every ${seconds(policy.tickMs)}. A signal is \`up\`, \`suspect\`, \`down\` or \`unknown\`; missing or aged
evidence is \`unknown\`, never up and never down. Thresholds follow from the cadence, the baseline failure rate
(${policy.baselineFailureRate}) and the budget of false alarms (${policy.falseAlarmsPerYear} per signal, observer and year); with the default policy:

${markdownTable(
  ['signal', 'probe', 'every', 'total failure is down after', 'and up again after'],
  signalNames.map((name) => {
    const settings = modelSettings(name, policy);
    return [
      name,
      signals[name].probe,
      seconds(settings.periodMs),
      `${roundsToDown(settings)} rounds`,
      `${roundsToClear(settings)} healthy rounds`,
    ];
  }),
)}

What a failed call proves:

${markdownTable(
  ['class', 'counts against the region', 'the region answered', 'may be the caller’s own fault'],
  Object.entries(errorClasses).map(([name, meaning]) => [
    name,
    yesNo(meaning.evidence),
    yesNo(meaning.answered),
    yesNo(meaning.doubtful),
  ]),
)}

## Whose fault is it?

Some errors may be the observer's own fault: it is the comparison of both regions that shows it. An error counts here once it has
occurred in three rounds in a row. A sick observer accuses nobody; \`observer-in-part\` and all that is one region's leave it sound.

${markdownTable(
  [
    'class',
    'meaning',
    'in both regions',
    'in both, and the standby takes puts',
    'in the primary alone',
    'in the standby alone',
  ],
  blames.map((row) => [
    row.classes.join(', '),
    row.meaning,
    row.both,
    row.bothButPuts,
    row.primaryAlone,
    row.standbyAlone,
  ]),
)}

## How bad is it?

The puts of a round are judged a second time: \`gain\` is large once the failing fraction of the primary exceeds that of the standby by
far more than can be chance. \`policy.minimumGain\` is ${policy.minimumGain}: with a standby in which nothing fails, a primary that fails by
${percent(BEARABLE_GAINS * policy.minimumGain)} is borne and one that fails by ${percent(UNBEARABLE_GAINS * policy.minimumGain)} is left. See [how it works](how-it-works.md#how-bad-is-bad-enough).

## What is concluded

The first row that matches is the diagnosis. Only an actionable diagnosis can move traffic.

${markdownTable(
  ['diagnosis', 'when', 'meaning', 'actionable', 'what to do'],
  diagnoses.map((row) => [row.code, row.when, row.description, yesNo(row.actionable), row.operator]),
)}

## What can refuse an evacuation

An evacuation starts only if none of these guards refuses. Each refusal is recorded with its reason and, where it is known,
the time until which it lasts.

${markdownTable(
  ['guard', 'purpose'],
  guards.map(({ rule, purpose }) => [rule, purpose]),
)}
`;
}
