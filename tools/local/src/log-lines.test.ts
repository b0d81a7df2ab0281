import { describe, expect, it } from 'vitest';
import { logRenderer } from './log-lines.js';

const fields = { node: 'edge-1', session: 'a b', bytes: 12 };
const line = JSON.stringify({
  level: 'warn',
  time: 1,
  pid: 7,
  service: 'edge',
  ...fields,
  msg: 'slow consumer',
});

describe('log lines', () => {
  it('show time, level, service, event and fields of a JSON line, without colours off a terminal', () => {
    const text = logRenderer(false)('edge-1', line);
    expect(text).toMatch(
      /^\[\d\d:\d\d:\d\d\.001\] WARN: edge-1 {4}slow consumer \{"session":"a b","bytes":12\}\n$/,
    );
  });

  it('are coloured on a terminal', () => {
    expect(logRenderer(true)('edge-1', line)).toContain('\x1b[33mWARN');
  });

  it('show what is no JSON log line as it is, behind the name', () => {
    const render = logRenderer(false);
    expect(render('edge-1', '{oops')).toBe('{oops\n');
    expect(render('edge-1', 'plain text')).toBe('edge-1    plain text\n');
  });
});
