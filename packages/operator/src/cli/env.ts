/** Lines that a shell takes as they are, by `eval` or `export`. */
export function shellAssignments(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${isPlain.test(value) ? value : quoted(value)}\n`)
    .join('');
}

/** Nothing here means anything to a shell. */
const isPlain = /^[\w:/@.%+,=~-]*$/;
const quoted = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`;
