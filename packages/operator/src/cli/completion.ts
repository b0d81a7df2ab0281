/** What completion knows of a command. */
export interface CommandShape {
  name: string;
  description: string;
  options: string[];
}

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

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

function bash(commands: readonly CommandShape[]): string {
  const cases = commands.map((c) => `    ${c.name}) words="${c.options.join(' ')}" ;;`);
  return `# evenkeel completion bash > /etc/bash_completion.d/evenkeel
_evenkeel() {
  local words current="\${COMP_WORDS[COMP_CWORD]}"
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) words="" ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${commands.map((c) => c.name).join(' ')}"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _evenkeel evenkeel
`;
}

function zsh(commands: readonly CommandShape[]): string {
  const quoted = (text: string) => text.replace(/'/g, "'\\''").replace(/:/g, '\\:');
  const names = commands.map((c) => `    '${c.name}:${quoted(c.description)}'`);
  const cases = commands.map((c) => `    ${c.name}) compadd -- ${c.options.join(' ')} ;;`);
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
  case "$words[2]" in
${cases.join('\n')}
  esac
}
compdef _evenkeel evenkeel
`;
}

function fish(commands: readonly CommandShape[]): string {
  const quoted = (text: string) => text.replace(/\\/g, '\\\\').replace(/'/g, "\\'");
  const lines = commands.flatMap((c) => [
    `complete -c evenkeel -n __fish_use_subcommand -a ${c.name} -d '${quoted(c.description)}'`,
    ...c.options.map(
      (option) =>
        `complete -c evenkeel -n '__fish_seen_subcommand_from ${c.name}' -l ${option.replace(/^--/, '')}`,
    ),
  ]);
  return `# evenkeel completion fish > ~/.config/fish/completions/evenkeel.fish
complete -c evenkeel -f
${lines.join('\n')}
`;
}
