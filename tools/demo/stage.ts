import type { Colors } from '../../src/cli/colors.ts';
import { ProgressBar } from '../../src/cli/progress-bar.ts';
import { formatDuration } from '../../src/cli/sizes.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { ReportProgress } from '../../src/lib/progress.ts';

/** What the spectator of the demo sees: one line for each act, with a progress bar below it while it is under way. */
export class Stage {
  readonly terminal: Terminal;
  readonly colors: Colors;
  readonly #clock: Clock;
  #act = 0;

  constructor(terminal: Terminal, clock: Clock) {
    this.terminal = terminal;
    this.colors = terminal.colors;
    this.#clock = clock;
  }

  /** Plays an act and prints its line with the time it took; what it answers says how it went. */
  async act<T>(title: string, play: (report: ReportProgress) => Promise<{ result: T; outcome: string }>): Promise<T> {
    const bar = new ProgressBar(this.terminal, this.#clock);
    const startedMs = this.#clock.monotonicMs();
    bar.report({ phase: title, documentsDone: 0, bytesDone: 0 });
    try {
      const { result, outcome } = await play((progress) => bar.report(progress));
      bar.clear();
      const took = formatDuration(this.#clock.monotonicMs() - startedMs);
      const { bold, dim } = this.colors;
      this.terminal.print(`${bold(`${String(++this.#act).padStart(2)}. ${title}`)} ${dim(took)}`);
      this.terminal.print(`    ${outcome}`);
      return result;
    } finally {
      bar.clear();
    }
  }

  say(text = ''): void {
    this.terminal.print(text);
  }
}
