/** The files behind the links of restore jobs. */
export interface Downloads {
  /** Refused where the token was not made by us, or the link has been used or has expired. */
  open(request: { token: string; fileName: string }): Promise<OpenDownload>;
  /** Breaks off what is being served. */
  stopAll(): void;
}

export interface OpenDownload {
  downloadId: string;
  fileName: string;
  bytes: number;
  /** Hex digits. */
  sha256: string;
  readyAtMs: number;
  /**
   * The bytes from..to, `to` not included. An earlier stream of the same file is broken off; refused where too many
   * files are served. `stop` breaks this one off. `end` is called exactly once, whatever happens; `whole`: all of it
   * was handed over.
   */
  stream(range: { from: number; to: number; stop: AbortController }): Promise<{
    bytes: AsyncIterable<Buffer>;
    end(whole: boolean): Promise<void>;
  }>;
}
