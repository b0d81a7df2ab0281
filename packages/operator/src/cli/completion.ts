import type { Command } from 'commander';

/** Words that only the running mesh knows. */
export const askedWords = ['nodes', 'settings'] as const;
export type AskedWords = (typeof askedWords)[number];

/** What may stand in one place: these words, or those that the mesh is asked for. */
interface Place {
  readonly words: readonly string[];
  readonly asked?: AskedWords | undefined;
}

/** What completion knows of a command. */
export interface CommandShape {
  readonly name: string;
  readonly description: string;
  /** `value`: what comes after it; undefined: it stands alone. */
  readonly options: readonly { flag: string; value: Place | undefined }[];
  readonly argument: Place;
}

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** The commands of the command line as completion sees them. */
export function shapesOf(program: Command): CommandShape[] {
  return program.commands.map((command) => {
    const [argument] = command.registeredArguments;
    return {
      name: command.name(),
      description: command.description(),
      options: command.options.flatMap(({ long, hidden, required, optional, argChoices }) =>
        long == null || hidden
          ? []
          : [{ flag: long, value: required || optional ? place(long.slice(2), argChoices) : undefined }],
      ),
      argument:
        command.commands.length > 0
          ? { words: command.commands.map((c) => c.name()) }
          : place(argument?.name() ?? '', argument?.argChoices),
    };
  });
}

const askedBy: Readonly<Record<string, AskedWords>> = { node: 'nodes', setting: 'settings' };

/** By name: `<node>` is a node wherever it stands. */
function place(name: string, choices: readonly string[] = []): Place {
  return { words: choices, asked: askedBy[name] };
}

/** A completion script for `shell`, made from the commands themselves. */
export function completionScript(shell: Shell, commands: readonly CommandShape[]): string {
  switch (shell) {
    case 'bash':
      return bash(commands);
    case 'zsh':
      return zsh(commands);
    case 'fish':
      return fish(commands);
  }
}

const asking = (words: AskedWords): string => `evenkeel completion --words ${words} 2>/dev/null`;

/** Each option that something comes after, with its command. */
const valued = (commands: readonly CommandShape[]) =>
  commands.flatMap((c) =>
    c.options.flatMap(({ flag, value }) => (value === undefined ? [] : [{ at: `${c.name} ${flag}`, value }])),
  );

const flagsOf = (c: CommandShape) => c.options.map(({ flag }) => flag);

function bash(commands: readonly CommandShape[]): string {
  const wordsOf = ({ words, asked }: Place) =>
    [...words, ...(asked === undefined ? [] : [`$(${asking(asked)})`])].join(' ');
  const values = valued(commands).map(({ at, value }) => `    "${at}") words="${wordsOf(value)}" ;;`);
  const flags = commands.map((c) => `    ${c.name}) words="${flagsOf(c).join(' ')}" ;;`);
  const places = commands
    .filter((c) => wordsOf(c.argument) !== '')
    .map((c) => `    ${c.name}) words="${wordsOf(c.argument)}" ;;`);
  return `# evenkeel completion bash > /etc/bash_completion.d/evenkeel
_evenkeel() {
  local words="" name="\${COMP_WORDS[1]}" current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${commands.map((c) => c.name).join(' ')}"
  else case "$name $before" in
${values.join('\n')}
    *) case "$current" in
    -*) case "$name" in
${flags.join('\n')}
    esac ;;
    *) case "$name" in
${places.join('\n')}
    esac ;;
    esac ;;
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _evenkeel evenkeel
`;
}

function zsh(commands: readonly CommandShape[]): string {
  const quoted = (text: string) => text.replace(/'/g, "'\\''").replace(/:/g, '\\:');
  const names = commands.map((c) => `    '${c.name}:${quoted(c.description)}'`);
  const wordsOf = ({ words, asked }: Place) =>
    [...words, ...(asked === undefined ? [] : [`\${(f)"$(${asking(asked)})"}`])].join(' ');
  const values = valued(commands).map(
    ({ at, value }) => `    '${at}') compadd -- ${wordsOf(value)}; return ;;`,
  );
  const cases = commands.map(
    (c) => `    ${c.name}) compadd -- ${flagsOf(c).join(' ')}; compadd -- ${wordsOf(c.argument)} ;;`,
  );
  return `#compdef evenkeel
# evenkeel completion zsh > "\${fpath[1]}/_evenkeel"
_evenkeel() {
  local -a commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case "$words[2] $words[CURRENT-1]" in
${values.join('\n')}
  esac
  case "$words[2]" in
${cases.join('\n')}
  esac
}
compdef _evenkeel evenkeel
`;
}

function fish(commands: readonly CommandShape[]): string {
  const quoted = (text: string) => text.replace(/\\/g, '\\\\').replace(/'/g, "\\'");
  const wordsOf = ({ words, asked }: Place) =>
    [...words, ...(asked === undefined ? [] : [`(${asking(asked)})`])].join(' ');
  const lines = commands.flatMap((c) => {
    const isHere = `complete -c evenkeel -n '__fish_seen_subcommand_from ${c.name}'`;
    return [
      `complete -c evenkeel -n __fish_use_subcommand -a ${c.name} -d '${quoted(c.description)}'`,
      ...c.options.map(({ flag, value }) => {
        const takes = value === undefined ? '' : ` -x -a '${wordsOf(value)}'`;
        return `${isHere} -l ${flag.replace(/^--/, '')}${takes}`;
      }),
      ...(wordsOf(c.argument) === '' ? [] : [`${isHere} -a '${wordsOf(c.argument)}'`]),
    ];
  });
  return `# evenkeel completion fish > ~/.config/fish/completions/evenkeel.fish
complete -c evenkeel -f
${lines.join('\n')}
`;
}
