import { createInterface } from 'node:readline/promises';

/** What the command line writes to and reads from; a test gives its own. */
export interface Terminal {
  /** Standard output: the answer, or JSON alone. */
  out(text: string): void;
  /** Standard error: progress, questions and errors. */
  err(text: string): void;
  /** Whether standard output is a terminal that takes cursor movements. */
  readonly isTty: boolean;
  /** Whether standard error is. */
  readonly isErrTty: boolean;
  /** Whether it takes colours too. */
  readonly hasColor: boolean;
  /** Its present size. */
  readonly columns: number;
  readonly rows: number;
  /** Resolves after `ms`, or at once when the user interrupts or {@link Terminal.wake} is called. */
  sleep(ms: number): Promise<void>;
  /** Ends the present sleep. */
  wake(): void;
  /** The user has pressed Ctrl-C. */
  readonly isInterrupted: boolean;
  /** What the user answers; undefined where there is nobody to ask. */
  ask(question: string): Promise<string | undefined>;
  /** Each key that is pressed, as its escape sequence, where there is a keyboard. Returns what ends it. */
  onKey(take: (key: string) => void): () => void;
}

/** The process's own terminal. `noColor` is https://no-color.org. */
export function processTerminal(noColor: boolean): Terminal {
  const { stdin, stdout, stderr } = process;
  let isInterrupted = false;
  const sleepers = new Set<() => void>();
  const wake = () => {
    for (const fn of sleepers) fn();
  };
  const interrupt = () => {
    // A second Ctrl-C must always work, whatever the command waits for.
    if (isInterrupted) process.exit(130);
    isInterrupted = true;
    wake();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  stdout.on('error', (error) => {
    const { code, text } = unwritten(error);
    stderr.write(text);
    process.exit(code);
  });
  // A resized window is drawn anew at once.
  stdout.on('resize', wake);
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    isTty: stdout.isTTY === true,
    isErrTty: stderr.isTTY === true,
    hasColor: stdout.isTTY === true && !noColor,
    get columns() {
      return stdout.columns ?? 100;
    },
    get rows() {
      return stdout.rows ?? 24;
    },
    get isInterrupted() {
      return isInterrupted;
    },
    wake,
    sleep: (ms) =>
      new Promise((resolve) => {
        if (isInterrupted) return resolve();
        const done = () => {
          clearTimeout(timer);
          sleepers.delete(done);
          resolve();
        };
        const timer = setTimeout(done, ms);
        sleepers.add(done);
      }),
    ask: async (question) => {
      if (!stdin.isTTY || !stderr.isTTY) return undefined;
      const lines = createInterface({ input: stdin, output: stderr });
      lines.on('SIGINT', () => lines.close());
      // Ctrl-C and Ctrl-D answer nothing, and nothing is not yes.
      const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
      try {
        return await Promise.race([lines.question(question), closed]);
      } finally {
        lines.close();
      }
    },
    onKey: (take) => {
      if (!stdin.isTTY) return () => {};
      const onData = (data: Buffer) => {
        const key = data.toString();
        // In raw mode the terminal sends no signal.
        if (key === '\u0003') interrupt();
        else take(key);
      };
      stdin.setRawMode(true);
      stdin.on('data', onData);
      return () => {
        stdin.off('data', onData);
        stdin.setRawMode(false);
        stdin.pause();
      };
    },
  };
}

/** What the process says and exits with when standard output takes no more. `evenkeel top | head`: the reader has gone, no error. */
function unwritten({ code, message }: NodeJS.ErrnoException): { code: number; text: string } {
  if (code === 'EPIPE') return { code: 0, text: '' };
  return { code: 1, text: `evenkeel: standard output takes no more: ${message} (${code ?? 'failed'})\n` };
}

const sgr = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
export type Style = keyof typeof sgr;
export type Paint = (style: Style, text: string) => string;

/** Colours where they are wanted, the text as it is elsewhere. */
export const painter =
  (hasColor: boolean): Paint =>
  (style, text) =>
    hasColor ? `\u001b[${sgr[style]}m${text}\u001b[0m` : text;

/** Sequences that only colour, or one character that takes a place. */
const pieces = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m|.`, 'gu');

/** A line cut to this many places; colours take none. */
export function clipped(line: string, columns: number): string {
  let places = 0;
  let text = '';
  let isColored = false;
  for (const [piece] of line.matchAll(pieces)) {
    if (piece.length > 2) isColored = true;
    else if (places === columns) return text + (isColored ? '\u001b[0m' : '');
    else places += 1;
    text += piece;
  }
  return text;
}
