import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { refuse } from '../../domain/refusals/refusals.ts';
import { describeError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { HttpRefusal } from '../http-refusals.ts';
import { problemOfRefusal } from '../problem.ts';

/**
 * What a client is told whose request never became one: it cannot be parsed, its headers are too many, or it took too
 * long to come. Nothing of the library runs for such a request, so the answer is written by hand; it has the body that
 * every error has. The connection ends with it: where the next request would begin nobody can say.
 */
export function answerMalformed(
  error: Error & { code?: string },
  socket: Socket,
  common: Readonly<Record<string, string>>,
  log: Logger,
): void {
  // Gone, or in the middle of an answer: there is nobody to tell.
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  log.info({ remote: socket.remoteAddress, reason: describeError(error) }, 'a request could not be read');
  const { status, headers, body } = problemOfRefusal(refusalOf(error.code));
  const text = JSON.stringify(body);
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
    ...Object.entries({ ...common, ...headers }).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`);
}

function refusalOf(code: string | undefined) {
  if (code === 'HPE_HEADER_OVERFLOW') return new HttpRefusal('REQUEST_HEADERS_TOO_LARGE');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new HttpRefusal('REQUEST_TIMEOUT');
  return refuse('VALIDATION_ERROR', ['The request is not HTTP that can be read']);
}
