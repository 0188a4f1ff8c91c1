import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { finished } from 'node:stream/promises';
import type { Clock } from '../../lib/clock.ts';

/** How long a client that has it all may take to hang up; then we do, and it has as long again. */
const HANG_UP_MS = 15_000;

/**
 * Whether the whole answer reached its client. That the system took the last byte says nothing: megabytes wait in its
 * buffers, and a client that dies leaves them there. So the answer says `Connection: close`, upon which a client that
 * has read it to its end closes the connection; a client that has not, and goes, resets it (TCP answers what arrives
 * for nobody so). Ask before the answer begins. The connection ends with it.
 */
export async function receiptOf(response: ServerResponse, clock: Clock): Promise<boolean> {
  const { socket } = response;
  if (!(socket instanceof Socket)) return await isFinished(response);
  response.setHeader('connection', 'close');
  // Called by the server once the answer is out: it would destroy the socket before anything is known.
  socket.destroySoon = () => undefined;
  const hungUp = Promise.withResolvers<boolean>();
  for (const event of ['error', 'close'] as const) socket.once(event, () => hungUp.resolve(false));
  socket.once('end', () => hungUp.resolve(true));
  try {
    if (!(await isFinished(response))) return false;
    return (await within(hungUp.promise, clock)) ?? (await hangUpFirst(socket, hungUp.promise, clock));
  } finally {
    socket.destroy();
  }
}

async function isFinished(response: ServerResponse): Promise<boolean> {
  return await finished(response).then(
    () => true,
    () => false,
  );
}

async function hangUpFirst(socket: Socket, hungUp: Promise<boolean>, clock: Clock): Promise<boolean> {
  socket.end();
  return (await within(hungUp, clock)) ?? false;
}

async function within(hungUp: Promise<boolean>, clock: Clock): Promise<boolean | null> {
  const enough = new AbortController();
  const late = clock.sleep(HANG_UP_MS, enough.signal).then(
    () => null,
    () => null,
  );
  try {
    return await Promise.race([hungUp, late]);
  } finally {
    enough.abort();
  }
}
