import type { Command, Reply, SinkSettings } from './behaviour.ts';
import { SinkServer } from './server.ts';

/** Entry of the sink's process: it ends with its parent, or after its lifetime. */
const MAX_LIFETIME_MS = 30 * 60_000;

const settings = JSON.parse(process.argv[2] ?? '{}') as SinkSettings;
const server = new SinkServer(settings);
const reply = (message: Reply): void => void process.send?.(message);

process.on('disconnect', () => process.exit());
setTimeout(() => process.exit(1), MAX_LIFETIME_MS).unref();
process.on('message', (command: Command) => {
  switch (command.kind) {
    case 'behave':
      server.behave(command.next);
      return reply({ kind: 'done' });
    case 'accept':
      server.accept(command.identities);
      return reply({ kind: 'done' });
    case 'received':
      return reply({ kind: 'received', received: server.received() });
    case 'last':
      return reply({ kind: 'last', records: server.last() });
    default: {
      const never: never = command;
      throw new Error(`unknown command ${JSON.stringify(never)}`);
    }
  }
});
reply({ kind: 'ready', ...(await server.listen()) });
