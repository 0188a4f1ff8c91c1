import type { Command, Option } from 'commander';

/** The commands as completion knows them, by their paths; that of the program itself is empty. */
export interface CompletedCommand {
  path: string;
  description: string;
  subcommands: { name: string; description: string }[];
  options: CompletedOption[];
  /** What its first argument can be, where only certain words can. */
  words: readonly string[];
}

export interface CompletedOption {
  flag: string;
  description: string;
  /** What stands behind it: nothing, one of these words, a file, a directory, or anything. */
  value: 'none' | 'file' | 'directory' | 'any' | readonly string[];
}

export function commandTree(root: Command, path = ''): CompletedCommand[] {
  const subcommands = root.commands.map((command) => ({
    name: command.name(),
    description: oneLine(command.description()),
  }));
  const own: CompletedCommand = {
    path,
    description: oneLine(root.description()),
    subcommands,
    options: [...root.options.map(optionOf), { flag: '--help', description: 'display help', value: 'none' }],
    words: root.registeredArguments[0]?.argChoices ?? [],
  };
  return [own, ...root.commands.flatMap((command) => commandTree(command, `${path} ${command.name()}`.trim()))];
}

function optionOf(option: Option): CompletedOption {
  return { flag: option.long ?? option.flags, description: oneLine(option.description), value: valueBehind(option) };
}

function valueBehind({ flags, argChoices }: Option): CompletedOption['value'] {
  if (argChoices !== undefined) return argChoices;
  if (/<directory>/.test(flags)) return 'directory';
  // A place may be a URL too: what is typed stays possible.
  if (/<(file|place)>/.test(flags)) return 'file';
  return /[<[]/.test(flags) ? 'any' : 'none';
}

/** Without what a shell would take for its own. */
function oneLine(text: string): string {
  return text.replaceAll('`', '').replaceAll(/\s+/g, ' ').trim();
}
