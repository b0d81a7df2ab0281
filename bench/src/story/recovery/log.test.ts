import { describe, expect, test } from 'vitest';
import { historyLost, judge, type LogEntry } from './log.js';

const live = (...numbers: number[]): LogEntry[] => numbers.map((k) => ({ k, isPast: false }));
const past = (...numbers: number[]): LogEntry[] => numbers.map((k) => ({ k, isPast: true }));
const gap: LogEntry = { gap: historyLost };
const good = { lost: 0, repeated: 0, reordered: 0, partial: 0, wrongGaps: 0 };

describe('where everything is kept', () => {
  test('a log has each message once and in order, whether past or live', () => {
    expect(judge([...live(1, 2), ...past(3, 4), ...live(5)], 5)).toMatchObject({
      ...good,
      delivered: 5,
      past: 2,
    });
  });

  test('what is missing is lost, at the end too, and a gap is no excuse', () => {
    expect(judge(live(1, 2, 5), 6)).toMatchObject({ lost: 3 });
    expect(judge([], 4)).toMatchObject({ lost: 4 });
    expect(judge([...live(1), gap, ...live(4)], 4)).toMatchObject({ lost: 2, wrongGaps: 1 });
  });

  test('what comes twice or late is seen', () => {
    expect(judge([...live(1, 2, 3), ...past(2, 3), ...live(4)], 4)).toMatchObject({ repeated: 2, lost: 0 });
    expect(judge(live(1, 3, 2, 4), 4)).toMatchObject({ reordered: 1 });
  });

  test('a gap of nothing is wrong', () => {
    expect(judge([...live(1), gap, ...live(2)], 2).wrongGaps).toBeGreaterThan(0);
  });
});

describe('where three messages are kept', () => {
  test('a longer loss is one gap and goes on live; a shorter one mends itself', () => {
    expect(judge([...live(1), gap, ...live(6), ...past(7, 8), ...live(9)], 9, 3)).toMatchObject({
      ...good,
      told: 4,
      gaps: 1,
    });
  });

  test('a loss without a gap, a second gap, another reason and a gap of nothing are wrong', () => {
    expect(judge(live(1, 6), 6, 3)).toMatchObject({ lost: 4 });
    expect(judge([...live(1), gap, gap, ...live(6)], 6, 3)).toMatchObject({ wrongGaps: 1 });
    expect(judge([...live(1), { gap: 'connection-lost' }, ...live(6)], 6, 3)).toMatchObject({ wrongGaps: 1 });
    expect(judge([...live(1), gap, ...live(2)], 2, 3)).toMatchObject({ wrongGaps: 1 });
    expect(judge([...live(1), gap], 1, 3)).toMatchObject({ wrongGaps: 1 });
  });

  test('a part of what is gone is wrong: past messages behind the gap, or fewer gone than are kept', () => {
    expect(judge([...live(1), gap, ...past(6, 7), ...live(8)], 8, 3)).toMatchObject({ partial: 1 });
    expect(judge([...live(1), gap, ...live(4)], 4, 3)).toMatchObject({ partial: 1 });
  });
});
