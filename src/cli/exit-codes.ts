/** What the command's exit code says. Scripts depend on it; `docs/operations.md` lists them. */
export const exitCodes = {
  done: 0,
  /** The world failed: a server, a disk, a network. */
  failed: 1,
  /** The command line cannot be carried out as written. */
  usage: 2,
  /** It was understood and refused: nothing of that name, not allowed in this state. */
  refused: 3,
  /** The repository is damaged; what is damaged was named. */
  damaged: 4,
  /** Done, all but what was named: the target refuses it, or Extended JSON has no text for it. */
  incomplete: 5,
  /** A broken invariant of our own. */
  bug: 70,
  /** Stopped by Ctrl-C or SIGTERM. */
  cancelled: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
