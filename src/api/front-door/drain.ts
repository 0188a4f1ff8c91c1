import type { IncomingMessage } from 'node:http';

/**
 * Reads and throws away a request's body, up to `bytesMax`. Digest clients send the body with the request that is bound
 * to be refused, and a connection on which it was left unread cannot carry the second. False when there is more: then
 * the connection has to be closed.
 */
export async function drain(request: IncomingMessage, bytesMax: number): Promise<boolean> {
  let bytes = 0;
  for await (const piece of request) {
    bytes += (piece as Buffer).length;
    if (bytes > bytesMax) return false;
  }
  return true;
}
