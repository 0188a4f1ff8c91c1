import { parentPort } from 'node:worker_threads';
import { must } from '../../lib/assert.ts';
import { messageOf } from '../../lib/errors.ts';
import { ExtendedJsonWriter } from './extended-json.ts';
import { transcodeBlock } from './transcoding.ts';

/** What a thread of `TranscoderPool` is sent: whole documents. */
export interface ThreadRequest {
  documents: Uint8Array<ArrayBuffer>;
  compress: boolean;
}

/** What a thread of `TranscoderPool` answers to each block that it is sent. */
export type ThreadAnswer =
  | { member: Uint8Array<ArrayBuffer>; leftOut: number; leftOutIds: string[] }
  | { problem: string };

const port = must(parentPort, 'this file is run as a thread');
const writer = new ExtendedJsonWriter();

port.on('message', ({ documents, compress }: ThreadRequest) => {
  try {
    const given = Buffer.from(documents.buffer, documents.byteOffset, documents.byteLength);
    const { member, ...told } = transcodeBlock(writer, given, compress);
    const answer = new Uint8Array(member);
    port.postMessage({ member: answer, ...told } satisfies ThreadAnswer, [answer.buffer]);
  } catch (error) {
    port.postMessage({ problem: messageOf(error) } satisfies ThreadAnswer);
  }
});
