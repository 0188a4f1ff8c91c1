import { noColors } from './colors.ts';
import type { Terminal } from './terminal.ts';

/** A terminal for tests: keeps what is printed, and answers questions from a list. */
export class RecordingTerminal implements Terminal {
  readonly printed: string[] = [];
  readonly errors: string[] = [];
  readonly questions: string[] = [];
  readonly colors = noColors;
  readonly errorColors = noColors;
  readonly columns: number | null;
  readonly errorColumns: number | null;
  readonly #answers: string[];

  constructor(options: { columns?: number; answers?: readonly string[] } = {}) {
    this.columns = options.columns ?? null;
    this.errorColumns = options.columns ?? null;
    this.#answers = [...(options.answers ?? [])];
  }

  print(text: string): void {
    this.printed.push(text);
  }

  printError(text: string): void {
    this.errors.push(text);
  }

  async write(bytes: Uint8Array): Promise<boolean> {
    this.printed.push(Buffer.from(bytes).toString('utf8'));
    return true;
  }

  async ask(question: string): Promise<string | null> {
    this.questions.push(question);
    return this.#answers.shift() ?? null;
  }
}
