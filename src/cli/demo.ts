import { Command, Option } from 'commander';
import { wholeNumber } from './options.ts';

interface DemoOptions {
  exit?: boolean;
  sizeMb: number;
}

/** Says what it does as it goes, so it takes neither `--json` nor a data directory. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('back up, change and restore a made-up shop on real servers of its own, and compare it all')
    .option('--exit', 'end when it is done, with 0 only if all was equal, instead of serving until Ctrl-C')
    .addOption(new Option('--size-mb <megabytes>', 'how large the shop is').argParser(wholeNumber(1)).default(100))
    .action(async ({ exit = false, sizeMb }: DemoOptions) => {
      const { runDemo } = await import('../../tools/demo.ts');
      process.exitCode = await runDemo({ exit, megabytes: sizeMb });
    });
}
