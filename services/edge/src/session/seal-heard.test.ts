import { beforeEach, expect, it } from 'vitest';
import { Seal } from './seal.js';

let counts: { unacked: number; passed: number };
let nowMs: number;
let planted: number;
let waited: number;
let seal: Seal;

beforeEach(() => {
  counts = { unacked: 5, passed: 5 };
  nowMs = 0;
  planted = 0;
  waited = 0;
  seal = new Seal({
    hurry: () => {},
    leave: () => {},
    takeBack: () => undefined,
    node: 'edge-1',
    plant: async (_name, isFirst) => {
      planted += 1;
      if (isFirst) waited += 1;
      return true;
    },
    newName: () => 'name',
    counts,
    unsettled: () => [],
    seq: () => 5,
    whyDropped: () => undefined,
    onGap: () => {},
    isBare: false,
    now: () => nowMs,
  });
  seal.begin({ is: 'sealed', name: 'old' });
  seal.broken('overflow');
});

it('takes no sign of life for having heard of a gap while events before the gap may be on their way', () => {
  nowMs = 10_000;
  seal.acked(4);
  seal.heard(true);
  expect(planted).toBe(0);
  seal.acked(5);
  expect(planted).toBe(0);
  seal.heard(true);
  expect(planted).toBe(1);
});

it('takes a later sign of life where nothing before the gap is acknowledged by the client', () => {
  counts.unacked = 0;
  nowMs = 1_999;
  seal.heard(true);
  expect(planted).toBe(0);
  nowMs = 2_000;
  seal.heard(true);
  expect(planted).toBe(1);
});

it('plants what has not come from another edge for 10 s, and not before what others wait for', () => {
  seal.begin({ is: 'coming', name: 'theirs', at: 'edge-2' });
  nowMs = 9_999;
  seal.heard(false);
  expect(planted).toBe(0);
  nowMs = 10_000;
  seal.heard(false);
  expect({ planted, waited }).toEqual({ planted: 1, waited: 1 });
});
