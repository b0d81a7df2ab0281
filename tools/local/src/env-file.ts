/** Values for a `.env` file: `made` replaces what is there, `once` is kept where it is there already. */
export interface EnvValues {
  readonly made: Readonly<Record<string, string>>;
  readonly once: Readonly<Record<string, string>>;
}

/** The text of a `.env` file with these values in it; every other line stays as it is. */
export function merge(text: string, { made, once }: EnvValues): string {
  const missing = new Map([...Object.entries(once), ...Object.entries(made)]);
  const lines = text.split('\n').map((line) => {
    const name = /^\s*(?:export\s+)?(\w+)\s*=/.exec(line)?.[1];
    if (name === undefined || !missing.has(name)) return line;
    missing.delete(name);
    return name in made ? `${name}=${made[name]}` : line;
  });
  const added = [...missing].map(([name, value]) => `${name}=${value}`);
  return `${[...lines.join('\n').trimEnd().split('\n'), ...added].join('\n').trimStart()}\n`;
}
