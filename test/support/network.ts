import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { assert } from '../../src/lib/assert.ts';

const VERSION = 5;
const GRANTED = Buffer.from([VERSION, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
const REFUSED = Buffer.from([VERSION, 1, 0, 1, 0, 0, 0, 0, 0, 0]);

/**
 * The network between a client and the servers that it asks for, as a SOCKS5 proxy (RFC 1928; addresses and names, no
 * authentication): it can be cut, and it can swallow all that is sent. Servers reach each other without it.
 */
export class Network {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #state: 'up' | 'cut' | 'silent' = 'up';

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async start(): Promise<Network> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
    server.unref();
    return new Network(server);
  }

  /** The connection string by which its cluster is reached through it. */
  through(uri: string): string {
    const { port } = this.#server.address() as AddressInfo;
    return `${uri}&proxyHost=127.0.0.1&proxyPort=${port}`;
  }

  /** Every connection breaks, and there are no new ones until `mend`. */
  cut(): void {
    this.#state = 'cut';
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Nothing arrives any more, in either direction, and nobody is told; until `mend`. */
  swallow(): void {
    this.#state = 'silent';
    for (const socket of this.#sockets) socket.pause();
  }

  /** What was kept back arrives after all. */
  mend(): void {
    this.#state = 'up';
    for (const socket of this.#sockets) socket.resume();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket): void {
    this.#own(client);
    if (this.#state === 'cut') {
      client.destroy();
      return;
    }
    let greeted = false;
    let received = Buffer.alloc(0);
    const onData = (bytes: Buffer): void => {
      received = Buffer.concat([received, bytes]);
      if (!greeted) {
        if (received.length < 2 || received.length < 2 + (received[1] ?? 0)) return;
        received = received.subarray(2 + (received[1] ?? 0));
        greeted = true;
        client.write(Buffer.from([VERSION, 0]));
      }
      const wanted = destinationOf(received);
      if (wanted === null) return;
      client.off('data', onData);
      this.#connect(client, wanted);
    };
    client.on('data', onData);
    if (this.#state === 'silent') client.pause();
  }

  #connect(client: Socket, { host, port }: { host: string; port: number }): void {
    const server = connect({ host, port });
    this.#own(server);
    let granted = false;
    server.once('connect', () => {
      granted = true;
      client.write(GRANTED);
      client.pipe(server);
      server.pipe(client);
      if (this.#state === 'silent') for (const one of [client, server]) one.pause();
    });
    server.on('close', () => (granted ? client.destroy() : client.end(REFUSED)));
    client.on('close', () => server.destroy());
  }

  #own(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.unref();
    // What ends a connection is what is tried here.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

/** Of a whole request to connect; null while it is not whole. */
function destinationOf(request: Buffer): { host: string; port: number } | null {
  if (request.length < 7) return null;
  const kind = request[3];
  const length = kind === 3 ? 1 + (request[4] ?? 0) : 4;
  assert(kind === 1 || kind === 3, 'an address of IPv4 or a name');
  if (request.length < 4 + length + 2) return null;
  const host = kind === 3 ? request.toString('latin1', 5, 4 + length) : [...request.subarray(4, 8)].join('.');
  return { host, port: request.readUInt16BE(4 + length) };
}
