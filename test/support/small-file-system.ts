import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A file system of its own, in memory, that can be filled. */
export interface SmallFileSystem {
  path: string;
  /** Writes until nothing more fits. */
  fill(name: string): Promise<void>;
  unmount(): Promise<void>;
}

/** Or why there is none: mounting takes rights that not every machine gives. */
export async function mountSmallFileSystem(megabytes: number): Promise<SmallFileSystem | string> {
  const path = await mkdtemp(join(tmpdir(), 'tidemark-small-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path]);
  } catch (error) {
    await rm(path, { recursive: true });
    return `no file system can be mounted here: ${error instanceof Error ? error.message.split('\n')[0] : error}`;
  }
  return {
    path,
    fill: async (name) => {
      for (const pieceBytes of [1 << 20, 4096]) {
        for (let piece = 0; ; piece++) {
          const file = join(path, `${name}-${pieceBytes}-${piece}`);
          const failed = await writeFile(file, Buffer.alloc(pieceBytes, 1)).then(
            () => false,
            () => true,
          );
          if (failed) break;
        }
      }
    },
    unmount: async () => {
      await run('umount', [path]);
      await rm(path, { recursive: true });
    },
  };
}
