import { expect, it } from 'vitest';
import { forgedTicketLog } from './forged-log.js';

it('says once in a while that forged tickets come, and nothing of those that are refused in everyday use', () => {
  const lines: unknown[] = [];
  const refused = forgedTicketLog({ warn: (...line: unknown[]) => lines.push(line) });
  for (const code of ['ticket-expired', 'ticket-used', 'ticket-stale', 'ticket-malformed']) refused(code);
  expect(lines).toEqual([]);
  for (let n = 0; n < 100; n += 1) refused('ticket-forged');
  expect(lines).toHaveLength(1);
  expect(String(lines)).toContain('EVENKEEL_SECRET');
});
