import { type Colors, chooseColors } from './colors.ts';

/** Where a command prints: answers to standard output, everything that is only for the eye to standard error. */
export interface Terminal {
  print(text: string): void;
  printError(text: string): void;
  /** Bytes to standard output, no faster than they are taken. False: whoever read has gone. */
  write(bytes: Uint8Array): Promise<boolean>;
  /** Standard output's colors; standard error's are its own. */
  readonly colors: Colors;
  readonly errorColors: Colors;
  /** Width of standard output, null where it is no terminal. */
  readonly columns: number | null;
  /** Width of standard error, null where it is no terminal: no progress bar then. */
  readonly errorColumns: number | null;
  /** One line typed by a person, or null when nobody can be asked. */
  ask(question: string, signal: AbortSignal): Promise<string | null>;
}

export function systemTerminal(): Terminal {
  const { stdout, stderr, stdin } = process;
  // `tidemark snapshot list | head -1`: whoever read has read enough.
  for (const stream of [stdout, stderr]) stream.on('error', ignoreBrokenPipe);
  return {
    print: (text) => void stdout.write(`${text}\n`),
    printError: (text) => void stderr.write(text),
    write: (bytes) => new Promise((resolve) => stdout.write(bytes, (error) => resolve(!error))),
    colors: chooseColors(process.env, stdout.isTTY === true),
    errorColors: chooseColors(process.env, stderr.isTTY === true),
    columns: stdout.isTTY ? (stdout.columns ?? 80) : null,
    errorColumns: stderr.isTTY ? (stderr.columns ?? 80) : null,
    ask: async (question, signal) => {
      if (!stdin.isTTY || !stderr.isTTY) return null;
      const { createInterface } = await import('node:readline/promises');
      const reader = createInterface({ input: stdin, output: stderr });
      // While a line is being read Ctrl-C comes here and not as a signal: hand it on.
      reader.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
      try {
        return await reader.question(question, { signal });
      } finally {
        reader.close();
      }
    },
  };
}

function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
