import { describe, expect, it } from 'vitest';
import { renderLogLine } from './log-lines.js';

const line = JSON.stringify({ level: 40, time: 1, pid: 7, msg: 'slow consumer', session: 'a b', bytes: 12 });

describe('log lines', () => {
  it('shows level, service, event and fields of a JSON line, without colours off a terminal', () => {
    const text = renderLogLine('edge-1', line, false);
    expect(text).toContain('edge-1    warn  slow consumer session="a b" bytes=12');
    expect(text).not.toContain('\x1b');
    expect(text).not.toContain('pid');
  });

  it('colours on a terminal', () => {
    expect(renderLogLine('edge-1', line, true)).toContain('\x1b[33mwarn');
  });

  it('shows what is no JSON log line as it is', () => {
    expect(renderLogLine('edge-1', '{oops', false)).toMatch(/edge-1 +\{oops$/);
    expect(renderLogLine('edge-1', 'plain text', false)).toMatch(/edge-1 +plain text$/);
  });
});
