import { assert } from '../lib/assert.ts';
import { TruncatedAnswer } from './remote-calls.ts';

/** The whole body, of exactly the length that was announced; else rejects with TruncatedAnswer. */
export async function collectBody(
  stream: AsyncIterable<Uint8Array | string>,
  sizeBytes: number,
  progress: () => void,
): Promise<Buffer> {
  const body = Buffer.allocUnsafeSlow(sizeBytes);
  let at = 0;
  for await (const part of stream) {
    assert(typeof part !== 'string', 'a body is bytes');
    if (at + part.length > sizeBytes) throw new TruncatedAnswer(`more than the announced ${sizeBytes} bytes came`);
    body.set(part, at);
    at += part.length;
    progress();
  }
  if (at !== sizeBytes) throw new TruncatedAnswer(`the answer ended after ${at} of ${sizeBytes} bytes`);
  return body;
}
