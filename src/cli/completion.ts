import { Argument, Command } from 'commander';
import type { CommandTools } from './command-run.ts';
import { completionScripts, type Shell, shells } from './completion-scripts.ts';
import { commandTree } from './completion-tree.ts';

const HINTS: Record<Shell, string> = {
  bash: 'source <(tidemark completion bash)',
  zsh: 'source <(tidemark completion zsh)',
  fish: 'tidemark completion fish | source',
};

export function completionCommand({ terminal }: CommandTools): Command {
  const where = shells.map((shell) => `  ${shell}: ${HINTS[shell]}`).join('\n');
  return new Command('completion')
    .description('print the script by which a shell completes commands, options and their values')
    .addArgument(new Argument('<shell>', 'which one').choices(shells))
    .addHelpText('after', `\nIn the shell's own start file:\n${where}`)
    .action((shell: Shell, _options: unknown, command: Command) => {
      let root = command;
      while (root.parent !== null) root = root.parent;
      terminal.print(completionScripts[shell](commandTree(root)).trimEnd());
    });
}
