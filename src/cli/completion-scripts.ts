import type { CompletedCommand } from './completion-tree.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** The whole tree is in the script: completing starts no program. */
export const completionScripts: Record<Shell, (tree: readonly CompletedCommand[]) => string> = {
  bash,
  zsh: (tree) => `#compdef tidemark\nautoload -Uz bashcompinit && bashcompinit\n${bash(tree)}`,
  fish,
};

function bash(tree: readonly CompletedCommand[]): string {
  return `_tidemark() {
  local cur prev path word i words
  cur=\${COMP_WORDS[COMP_CWORD]}
  prev=\${COMP_WORDS[COMP_CWORD-1]}
  path=
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$path $word" in
${tree
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      ${quoted(before(path))}) path=${quoted(path)} ;;`)
  .join('\n')}
    esac
  done
  case "$path $prev" in
${tree.flatMap(bashValues).join('\n')}
  esac
  case "$path" in
${tree.map(({ path, subcommands, options, words }) => `    ${quoted(path)}) words=${quoted([...subcommands.map(({ name }) => name), ...words, ...options.map(({ flag }) => flag)].join(' '))} ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _tidemark tidemark
`;
}

/** As path and next word stand in the script: one space between, also where the path is empty. */
function before(path: string): string {
  const at = path.lastIndexOf(' ');
  return at < 0 ? ` ${path}` : path;
}

function bashValues({ path, options }: CompletedCommand): string[] {
  return options.flatMap(({ flag, value }) => {
    if (value === 'none') return [];
    const words =
      value === 'any'
        ? '()'
        : value === 'file'
          ? '($(compgen -f -- "$cur"))'
          : value === 'directory'
            ? '($(compgen -d -- "$cur"))'
            : `($(compgen -W ${quoted(value.join(' '))} -- "$cur"))`;
    return [`    ${quoted(`${path} ${flag}`)}) COMPREPLY=${words}; return ;;`];
  });
}

function fish(tree: readonly CompletedCommand[]): string {
  const paths = tree.filter(({ path }) => path !== '');
  const lines = tree.flatMap(({ path, subcommands, options, words }) => {
    const at = `complete -c tidemark -n ${quoted(`test (__tidemark_path) = ${quotedInside(path)}`)}`;
    return [
      ...subcommands.map(({ name, description }) => `${at} -a ${quoted(name)} -d ${quoted(description)}`),
      ...words.map((word) => `${at} -a ${quoted(word)}`),
      ...options.map(({ flag, description, value }) => {
        const behind =
          value === 'none'
            ? ''
            : value === 'file' || value === 'directory'
              ? ' -r -F'
              : value === 'any'
                ? ' -x'
                : ` -x -a ${quoted(value.join(' '))}`;
        return `${at} -l ${flag.replace(/^--/, '')}${behind} -d ${quoted(description)}`;
      }),
    ];
  });
  return `function __tidemark_path
  set -l path ''
  for word in (commandline -opc)[2..-1]
    switch "$path $word"
${paths.map(({ path }) => `      case ${quoted(before(path))}\n        set path ${quoted(path)}`).join('\n')}
    end
  end
  echo "$path"
end
complete -c tidemark -f
${lines.join('\n')}
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Within single quotes. */
function quotedInside(text: string): string {
  return `"${text}"`;
}
