/** What the command line writes to and reads from; a test gives its own. */
export interface Terminal {
  /** Standard output: the answer, or JSON alone. */
  out(text: string): void;
  /** Standard error: progress and errors. */
  err(text: string): void;
  /** Whether standard output is a terminal that takes colours and cursor movements. */
  readonly isTty: boolean;
  /** Whether standard error is. */
  readonly isErrTty: boolean;
  readonly columns: number;
  /** Resolves after `ms`, or at once when the user interrupts. */
  sleep(ms: number): Promise<void>;
  /** The user has pressed Ctrl-C. */
  readonly isInterrupted: boolean;
}

/** The process's own terminal. `noColor` is https://no-color.org. */
export function processTerminal(noColor: boolean): Terminal {
  const { stdout, stderr } = process;
  let isInterrupted = false;
  const wake = new Set<() => void>();
  const interrupt = () => {
    // A second Ctrl-C must always work, whatever the command waits for.
    if (isInterrupted) process.exit(130);
    isInterrupted = true;
    for (const fn of wake) fn();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  // `evenkeel top | head`: the reader has gone, which is no error.
  stdout.on('error', () => process.exit(0));
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    isTty: stdout.isTTY === true && !noColor,
    isErrTty: stderr.isTTY === true && !noColor,
    columns: stdout.columns ?? 100,
    get isInterrupted() {
      return isInterrupted;
    },
    sleep: (ms) =>
      new Promise((resolve) => {
        if (isInterrupted) return resolve();
        const done = () => {
          clearTimeout(timer);
          wake.delete(done);
          resolve();
        };
        const timer = setTimeout(done, ms);
        wake.add(done);
      }),
  };
}

const sgr = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
export type Style = keyof typeof sgr;
export type Paint = (style: Style, text: string) => string;

/** Colours where they are wanted, the text as it is elsewhere. */
export const painter =
  (isTty: boolean): Paint =>
  (style, text) =>
    isTty ? `\u001b[${sgr[style]}m${text}\u001b[0m` : text;
