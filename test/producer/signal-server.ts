import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { decode, encode } from 'dns-packet';

export interface SignalServer {
  readonly address: string;
  /** The TXT answer; undefined answers SERVFAIL. */
  answer: string | undefined;
  /** Questions so far. */
  asked: number;
  close(): Promise<void>;
}

const SERVFAIL = 2;

/** A DNS server on a real socket that answers every question with one TXT record. */
export async function startSignalServer(answer: string): Promise<SignalServer> {
  const socket = createSocket('udp4');
  const server: SignalServer = { address: '', answer, asked: 0, close: async () => void socket.close() };
  socket.on('message', (message, from) => {
    server.asked++;
    const { id, questions = [] } = decode(message);
    const name = questions[0]?.name ?? '';
    const reply =
      server.answer === undefined
        ? encode({ type: 'response', id: id ?? 0, flags: SERVFAIL, questions })
        : encode({
            type: 'response',
            id: id ?? 0,
            questions,
            answers: [{ type: 'TXT', name, ttl: 5, data: server.answer }],
          });
    socket.send(reply, from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return Object.assign(server, { address: `127.0.0.1:${socket.address().port}` });
}
