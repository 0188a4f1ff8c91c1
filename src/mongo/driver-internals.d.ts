// The one part of the driver that its public types do not name; `bulk-writer.ts` is its only user and `bulk-writer.mongo.test.ts` the contract.
declare module 'mongodb/lib/cmap/commands.js' {
  export class DocumentSequence {
    constructor(field: string);
    push(document: object, buffer: Uint8Array): number;
  }
}
