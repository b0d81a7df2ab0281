const levels = new Map([
  [10, 'trace'],
  [20, 'debug'],
  [30, 'info'],
  [40, 'warn'],
  [50, 'error'],
  [60, 'fatal'],
]);
const dim = '2';
const levelColours = new Map([
  ['warn', '33'],
  ['error', '31'],
  ['fatal', '31;1'],
]);
const nameColours = ['36', '35', '34', '32', '33', '96', '95', '94'];
const shownElsewhere = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'service', 'v']);

/**
 * Renders one line of a service's log for a person: time, service, level, event, fields. What is not a
 * JSON log line is shown as it is.
 */
export function renderLogLine(name: string, line: string, useColours: boolean): string {
  const paint = (code: string | undefined, text: string): string =>
    useColours && code !== undefined ? `\x1b[${code}m${text}\x1b[0m` : text;
  const shownName = paint(nameColours[hash(name) % nameColours.length], name.padEnd(9));

  const entry = parse(line);
  if (entry === undefined) return `${' '.repeat(12)} ${shownName} ${line}`;
  const level = levels.get(Number(entry.level)) ?? String(entry.level);
  const fields = Object.entries(entry)
    .filter(([key, value]) => !shownElsewhere.has(key) && !(key === 'node' && value === name))
    .map(([key, value]) => `${paint(dim, `${key}=`)}${render(value)}`);
  const time = paint(dim, clock(entry.time));
  const words = [time, shownName, paint(levelColours.get(level), level.padEnd(5)), String(entry.msg ?? '')];
  return [...words, ...fields].join(' ');
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null && 'level' in entry ? { ...entry } : undefined;
  } catch {
    return undefined;
  }
}

function render(value: unknown): string {
  if (typeof value === 'string') return /^[\w./:@*+-]+$/.test(value) ? value : JSON.stringify(value);
  if (typeof value === 'object' && value !== null && 'stack' in value && 'message' in value) {
    return String(value.message);
  }
  return JSON.stringify(value);
}

function clock(time: unknown): string {
  const date = new Date(typeof time === 'number' || typeof time === 'string' ? time : Number.NaN);
  return Number.isNaN(date.getTime()) ? ' '.repeat(12) : date.toTimeString().slice(0, 8) + millis(date);
}

function millis(date: Date): string {
  return `.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

function hash(text: string): number {
  let sum = 0;
  for (const character of text) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return sum;
}
