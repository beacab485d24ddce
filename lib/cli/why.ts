import { Command } from 'commander';
import type { JournalEntry } from '../../lambda/core/journal.ts';
import { observerRegions } from '../config/config.ts';
import { judgeCredentials } from '../operate/credentials.ts';
import { CredentialsError, UnansweredError } from '../operate/errors.ts';
import { journalBefore, readPast } from '../operate/past.ts';
import { readAll } from '../operate/read-status.ts';
import { type Reading, reading } from '../operate/reading.ts';
import { stateTable } from '../operate/state.ts';
import { statusOf } from '../operate/status.ts';
import { clientsFor, resolveTarget, type Target } from '../operate/target.ts';
import { isAnswered, whyNow } from '../operate/why.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import type { Io } from './io.ts';
import { type OutputFlags, type TargetFlags, timeArgument, withJson, withTarget } from './options.ts';
import { pastScreen, whyScreen } from './screens/why.ts';
import { type Outcome, perform } from './verb.ts';

interface WhyFlags extends TargetFlags, OutputFlags {
  readonly at?: number;
}

const LOGS_TIMEOUT_MS = 4_000;
const JOURNAL_ENTRIES = 1_000;

/** `spillway why`: shows the chain from the evidence to the vote, and the rule that decided or refused. */
export function whyCommand(io: Io): Command {
  return withJson(
    withTarget(
      new Command('why').description(
        'Show the chain of evidence: what each observer measured, concluded and voted, which guards refused, and what DNS made of the votes.',
      ),
    ),
  )
    .option(
      '--at <time>',
      "a time in the past, from the observers' logs and the journal: 2026-11-25T03:10Z, or 20m",
      timeArgument(io.nowMs),
    )
    .addHelpText('after', '\nExamples:\n  spillway why\n  spillway why --at 2026-11-25T03:10Z')
    .action((flags: WhyFlags) => perform(io, flags, () => why(io, flags)));
}

async function why(io: Io, flags: WhyFlags): Promise<Outcome> {
  const target = await resolveTarget({ directory: io.directory, env: io.env, ...flags });
  if (flags.at !== undefined) return past(io, target, flags.at);
  const readings = await readAll(target, { who: 'cli why', nowMs: io.nowMs, say: io.err });
  if (!isAnswered(readings)) {
    if (readings.credentials.ok === false) throw new CredentialsError(readings.credentials);
    throw new UnansweredError(
      'Neither DNS, nor the observers, nor the state table answer: look at the network here.',
    );
  }
  const found = whyNow(target.config, readings, statusOf(target.config, readings));
  return {
    exit: found.ok ? exitCodes.done : exitCodes.unhealthy,
    document: found,
    screen: whyScreen(found, io),
  };
}

async function past(io: Io, target: Target, atMs: number): Promise<Outcome> {
  const clients = clientsFor(target, { who: 'cli why', timeoutMs: LOGS_TIMEOUT_MS, say: io.err });
  try {
    await clients.prepare(observerRegions(target.config.regions));
    const [rounds, journal] = await Promise.all([
      readPast(target.config, { clients, atMs, timeoutMs: LOGS_TIMEOUT_MS }),
      reading(LOGS_TIMEOUT_MS, () =>
        stateTable(target.config, clients, LOGS_TIMEOUT_MS).history(JOURNAL_ENTRIES),
      ),
    ]);
    const credentials = await judgeCredentials([...rounds.values(), journal], {
      clients,
      region: target.config.regions.standby,
    });
    if (credentials.ok === false) throw new CredentialsError(credentials);
    if (!journal.ok && [...rounds.values()].every(({ ok }) => !ok)) {
      throw new UnansweredError(`Neither the observers' logs nor the journal answer (${journal.problem}).`);
    }
    const entries: Reading<readonly JournalEntry[]> = journal.ok
      ? { ok: true, value: journalBefore(journal.value, atMs) }
      : journal;
    // An observer that has logged nothing has answered, too.
    const ok =
      journal.ok && [...rounds.values()].every((round) => round.ok || round.failure?.kind === 'unusable');
    const observers = [...rounds].map(([region, round]) =>
      round.ok ? { region, ...round.value } : { region, problem: round.problem },
    );
    return {
      exit: ok ? exitCodes.done : exitCodes.unhealthy,
      document: { ok, atMs, observers, journal: entries.ok ? entries.value : { problem: entries.problem } },
      screen: pastScreen({ atMs, rounds, entries }, io),
    };
  } finally {
    clients.destroy();
  }
}
