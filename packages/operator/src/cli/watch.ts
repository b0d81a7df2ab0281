import type { StatusAnswer } from '@evenkeel/protocol';
import type { Operator } from '../operator.js';
import { isUnanswered } from './meanwhile.js';
import { clipped, painter, type Terminal } from './terminal.js';

export interface WatchOptions {
  readonly intervalMs: number;
  /** Frames to draw; undefined: until interrupted. */
  readonly frames: number | undefined;
  readonly json: boolean;
}

/** What is watched. */
export interface Watched {
  /** The frame for an answer: on a screen no more lines than it has. */
  text(status: StatusAnswer, screen: Screen | undefined): string;
  /** The object for an answer, with `json`. Default: the answer. */
  object?(status: StatusAnswer): unknown;
  /** A key was pressed. Returns whether the watching is over. */
  key?(key: string, screen: Screen): boolean;
}

export interface Screen {
  readonly rows: number;
  readonly columns: number;
}

const enterScreen = '\u001b[?1049h\u001b[?25l';
const leaveScreen = '\u001b[?25h\u001b[?1049l';
const home = '\u001b[H';
const clearLine = '\u001b[K';
const clearBelow = '\u001b[J';

/**
 * The status again and again: redrawn in place on a terminal, one frame after another over a pipe, one JSON
 * object a line with `json`. A frame without an answer says so; the next may have one.
 */
export async function watch(
  operator: Operator,
  watched: Watched,
  options: WatchOptions,
  terminal: Terminal,
): Promise<void> {
  const { intervalMs, frames, json } = options;
  const isScreen = terminal.isTty && !json;
  let isOver = false;
  // A key that changes what is seen is not to wait for the next answer.
  let last: (() => string) | undefined;
  const screen = (): Screen => ({ rows: terminal.rows, columns: terminal.columns });
  const show = (text: string) =>
    terminal.out(isScreen ? frame(text, screen()) : `${text}\n${json ? '' : '\n'}`);
  const endKeys = isScreen
    ? terminal.onKey((key) => {
        isOver ||= key === 'q' || watched.key?.(key, screen()) === true;
        if (isOver) terminal.wake();
        else if (last !== undefined) show(last());
      })
    : () => {};
  if (isScreen) terminal.out(enterScreen);
  try {
    for (let shown = 0; frames === undefined || shown < frames; shown++) {
      if (shown > 0) await terminal.sleep(intervalMs);
      if (terminal.isInterrupted || isOver) return;
      last = await look(operator, watched, terminal, json, () => (isScreen ? screen() : undefined));
      show(last());
    }
  } finally {
    endKeys();
    if (isScreen) terminal.out(leaveScreen);
  }
}

/** What an answer, or that there is none, looks like. */
async function look(
  operator: Operator,
  watched: Watched,
  terminal: Terminal,
  json: boolean,
  screen: () => Screen | undefined,
): Promise<() => string> {
  try {
    const status = await operator.status();
    return () => (json ? JSON.stringify(watched.object?.(status) ?? status) : watched.text(status, screen()));
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    const { code, message } = error;
    return () =>
      json
        ? JSON.stringify({ ok: false, error: { code, message } })
        : painter(terminal.hasColor)('red', `${code}: ${message}`);
  }
}

/** A frame as the terminal takes it: nothing scrolls, whatever its size. */
function frame(text: string, { rows, columns }: Screen): string {
  const lines = text
    .split('\n')
    .slice(0, rows)
    .map((line) => `${clipped(line, columns)}${clearLine}`);
  return home + lines.join('\n') + clearBelow;
}
