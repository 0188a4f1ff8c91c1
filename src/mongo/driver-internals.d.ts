// The parts of the driver that its public types do not name; each has one user and a test that is the contract.

// `bulk-writer.ts`, held by `bulk-writer.mongo.test.ts`.
declare module 'mongodb/lib/cmap/commands.js' {
  export class DocumentSequence {
    constructor(field: string);
    push(document: object, buffer: Uint8Array): number;
  }
}

// `guarded-sockets.ts`, held by `guarded-sockets.mongo.test.ts`: where the driver makes every socket.
declare module 'mongodb/lib/cmap/connect.js' {
  interface ConnectOptions {
    hostAddress: { host?: string; port?: number; socketPath?: string };
    lookup?: import('node:net').LookupFunction;
  }
  interface Connecting {
    connect: (options: ConnectOptions) => Promise<unknown>;
    makeSocket: (options: ConnectOptions) => Promise<unknown>;
  }
  const connecting: Connecting;
  export default connecting;
}

// `connection-options.test.ts`: every option that the driver takes.
declare module 'mongodb/lib/connection_string.js' {
  const parsing: { OPTIONS: Readonly<Record<string, unknown>> };
  export default parsing;
}
