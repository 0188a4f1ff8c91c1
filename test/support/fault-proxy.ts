import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What happens to a request instead of being passed on and answered. */
export type Fault =
  /** Answered by the proxy; the server never hears of it. */
  | { status: number; body?: string; headers?: Record<string, string> }
  /** The connection is cut; the server never hears of it. */
  | 'reset'
  /** No answer comes, ever. */
  | 'stall'
  /** Done by the server; the connection is cut before its answer. */
  | 'answer lost'
  /** Done by the server; half of the body of its answer comes, then the connection is cut. */
  | 'truncated'
  /** Done by the server; half of the body of its answer comes, then nothing. */
  | 'stalls midway'
  /** Passed on and answered as it is. */
  | null;

export interface ProxiedRequest {
  /** From 1, over all requests. */
  number: number;
  method: string;
  /** Path and query. */
  path: string;
}

/**
 * A proxy on the loopback interface in front of an object store's server, which does to requests what the test says:
 * per request by `fault`, which can be changed at any time (`proxy.fault = readOnly` from one moment on).
 */
export class FaultProxy {
  fault: (request: ProxiedRequest) => Fault = () => null;
  /** Everything that came, oldest first. */
  readonly requests: ProxiedRequest[] = [];
  readonly #target: URL;
  readonly #server = createServer((incoming, answer) => this.#serve(incoming, answer));
  readonly #sockets = new Set<Socket>();

  private constructor(target: string) {
    this.#target = new URL(target);
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(target: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** To be used in the place of the target. */
  get endpoint(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}${this.#target.pathname.replace(/\/$/, '')}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(incoming: IncomingMessage, answer: ServerResponse): void {
    const request = { number: this.requests.length + 1, method: incoming.method ?? '', path: incoming.url ?? '' };
    this.requests.push(request);
    const fault = this.fault(request);
    if (fault === 'reset') return void incoming.socket.resetAndDestroy();
    if (fault === 'stall') return void incoming.resume();
    if (fault !== null && typeof fault === 'object') {
      // The whole request first: an answer while it is still being sent is a reset to some clients.
      incoming.resume();
      incoming.once('end', () => {
        answer.writeHead(fault.status, { 'content-type': 'application/xml', ...fault.headers });
        answer.end(incoming.method === 'HEAD' ? undefined : (fault.body ?? ''));
      });
      return;
    }
    this.#pass(incoming, answer, fault);
  }

  #pass(incoming: IncomingMessage, answer: ServerResponse, fault: Exclude<Fault, object>): void {
    const { hostname, port } = this.#target;
    let answered = false;
    const options = { hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers };
    const outgoing = httpRequest(options, (found) => {
      answered = true;
      const parts: Buffer[] = [];
      found.on('data', (part: Buffer) => parts.push(part));
      found.once('end', () => {
        if (fault === 'answer lost') return void incoming.socket.resetAndDestroy();
        const body = Buffer.concat(parts);
        answer.writeHead(found.statusCode ?? 502, found.headers);
        if (fault === null) return void answer.end(body);
        answer.write(body.subarray(0, body.length >> 1), () => {
          if (fault === 'truncated') incoming.socket.destroy();
        });
      });
    });
    // A server may answer and close before it has read the whole request.
    outgoing.on('error', () => {
      if (!answered) incoming.socket.destroy();
    });
    incoming.pipe(outgoing);
    incoming.once('close', () => {
      if (!incoming.complete) outgoing.destroy();
    });
  }
}
