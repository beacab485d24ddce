import type { Command } from 'commander';
import type { Io } from './io.ts';

type MakeCommand = (io: Io) => Command;

/**
 * Every verb, by the group in which the help lists it. Only the verb that is asked for is loaded, because
 * loading all verbs takes a second.
 */
export const verbGroups = {
  'Look:': {
    status: async () => (await import('./status.ts')).statusCommand,
    why: async () => (await import('./why.ts')).whyCommand,
    history: async () => (await import('./history.ts')).historyCommand,
  },
  'Act:': {
    failover: async () => (await import('./failover.ts')).failoverCommand,
    failback: async () => (await import('./failback.ts')).failbackCommand,
    approve: async () => (await import('./approve.ts')).approveCommand,
    pause: async () => (await import('./pause.ts')).pauseCommand,
    resume: async () => (await import('./resume.ts')).resumeCommand,
    maintenance: async () => (await import('./maintenance.ts')).maintenanceCommand,
    ack: async () => (await import('./ack.ts')).ackCommand,
    drained: async () => (await import('./drained.ts')).drainedCommand,
  },
  'Prepare:': {
    init: async () => (await import('./init.ts')).initCommand,
    deploy: async () => (await import('./deploy.ts')).deployCommand,
    doctor: async () => (await import('./doctor.ts')).doctorCommand,
    consumers: async () => (await import('./consumers.ts')).consumersCommand,
    policy: async () => (await import('./policy.ts')).policyCommand,
    prove: async () => (await import('./prove.ts')).proveCommand,
    cost: async () => (await import('./cost.ts')).costCommand,
    drill: async () => (await import('./drill.ts')).drillCommand,
    local: async () => (await import('./local.ts')).localCommand,
    simulate: async () => (await import('./simulate.ts')).simulateCommand,
    audit: async () => (await import('./audit.ts')).auditCommand,
    completion: async () => (await import('./completion.ts')).completionCommand,
  },
  'Records:': {
    spool: async () => (await import('./spool.ts')).spoolCommand,
    stranded: async () => (await import('./stranded.ts')).strandedCommand,
    drain: async () => (await import('./drain.ts')).drainCommand,
    sidecar: async () => (await import('./sidecar.ts')).sidecarCommand,
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, () => Promise<MakeCommand>>>>>;

const names: readonly string[] = Object.values(verbGroups).flatMap((verbs) => Object.keys(verbs));

/** The verbs that a command line needs: the verb that it names first, none for the version, else all. */
export function verbsFor(args: readonly string[]): readonly string[] {
  const first = args.find((arg) => arg !== '--json');
  if (first === '--version' || first === '-V') return [];
  // Completion is made from all other verbs.
  return first !== undefined && first !== 'completion' && names.includes(first) ? [first] : names;
}

/** The commands of these verbs by group, each in the order of the help. */
export function loadVerbs(
  wanted: readonly string[],
): Promise<readonly { readonly group: string; readonly commands: readonly MakeCommand[] }[]> {
  return Promise.all(
    Object.entries(verbGroups).map(async ([group, verbs]) => {
      const loaders = Object.entries(verbs).filter(([name]) => wanted.includes(name));
      return { group, commands: await Promise.all(loaders.map(([, load]) => load())) };
    }),
  );
}
