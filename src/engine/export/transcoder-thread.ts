import { parentPort } from 'node:worker_threads';
import { must } from '../../lib/assert.ts';
import { messageOf } from '../../lib/errors.ts';
import { ExtendedJsonWriter } from './extended-json.ts';
import { transcodeBlock } from './transcoding.ts';

/** What a thread of `TranscoderPool` answers to each block that it is sent. */
export type ThreadAnswer = { block: Uint8Array<ArrayBuffer> } | { problem: string };

const port = must(parentPort, 'this file is run as a thread');
const writer = new ExtendedJsonWriter();

port.on('message', (documents: Uint8Array<ArrayBuffer>) => {
  try {
    const block = transcodeBlock(writer, Buffer.from(documents.buffer, documents.byteOffset, documents.byteLength));
    const answer = new Uint8Array(block);
    port.postMessage({ block: answer } satisfies ThreadAnswer, [answer.buffer]);
  } catch (error) {
    port.postMessage({ problem: messageOf(error) } satisfies ThreadAnswer);
  }
});
