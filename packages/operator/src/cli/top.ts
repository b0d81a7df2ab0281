import { isUnreachable, OperatorError } from '../errors.js';
import type { Operator } from '../operator.js';
import { statusText } from './status.js';
import { painter, type Terminal } from './terminal.js';

export interface TopOptions {
  intervalMs: number;
  /** Frames to draw; undefined: until interrupted. */
  frames: number | undefined;
  json: boolean;
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
export async function top(operator: Operator, options: TopOptions, terminal: Terminal): Promise<void> {
  const isScreen = terminal.isTty && !options.json;
  if (isScreen) terminal.out(enterScreen);
  try {
    for (let frame = 0; options.frames === undefined || frame < options.frames; frame++) {
      if (frame > 0) await terminal.sleep(options.intervalMs);
      if (terminal.isInterrupted) return;
      const text = await draw(operator, options.json, terminal);
      if (isScreen) {
        const lines = text.split('\n').map((line) => `${line}${clearLine}\n`);
        terminal.out(home + lines.join('') + clearBelow);
      } else terminal.out(options.json ? `${text}\n` : `${text}\n\n`);
    }
  } finally {
    if (isScreen) terminal.out(leaveScreen);
  }
}

async function draw(operator: Operator, json: boolean, terminal: Terminal): Promise<string> {
  const paint = painter(terminal.isTty);
  try {
    const status = await operator.status();
    if (json) return JSON.stringify(status);
    const time = new Date().toISOString().slice(11, 19);
    return `${paint('dim', `evenkeel top  ${time} UTC`)}\n\n${statusText(status, paint, { isWide: false, plans: 0 })}`;
  } catch (error) {
    if (!(error instanceof OperatorError) || !isUnreachable(error.code)) throw error;
    if (json) return JSON.stringify({ ok: false, error: { code: error.code, message: error.message } });
    return paint('red', `${error.code}: ${error.message}`);
  }
}
