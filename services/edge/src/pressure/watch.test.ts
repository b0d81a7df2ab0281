import { type CloseCode, closeCodes } from '@evenkeel/protocol';
import { describe, expect, it } from 'vitest';
import { EdgeNode } from '../node.js';
import { MemoryWatch } from './watch.js';

function socket(bytes: number) {
  return {
    closedWith: undefined as CloseCode | undefined,
    connection: { isOpen: true },
    outbox: { bytes },
    close(why: CloseCode) {
      this.closedWith = why;
      this.connection.isOpen = false;
    },
  };
}

/** An edge that is looked at by hand, and the part of its memory that is used. */
class Stage {
  part = 0.5;
  collected = 0;
  nowMs = 0;
  readonly node = new EdgeNode('edge-1', 'b');
  readonly said: string[] = [];
  readonly changes: string[] = [];
  readonly sockets: ReturnType<typeof socket>[] = [];
  readonly watch: MemoryWatch;

  constructor() {
    this.node.onChange(() => this.changes.push(this.node.state));
    this.watch = new MemoryWatch({
      config: {},
      node: this.node,
      directory: { tracked: () => this.sockets },
      now: () => this.nowMs,
      log: {
        info: (_fields: object, text?: string) => void this.said.push(text ?? ''),
        warn: (_fields: object, text?: string) => void this.said.push(text ?? ''),
      } as never,
      gauge: {
        read: () => ({
          process: { usedBytes: this.part * 1_000, limitBytes: 1_000 },
          heap: { usedBytes: 1, limitBytes: 1_000 },
        }),
      },
      collect: () => {
        this.collected += 1;
      },
    });
  }

  looks(part: number, times: number): void {
    this.part = part;
    for (let n = 0; n < times; n++) {
      this.watch.look();
      this.nowMs += 1_000;
    }
  }
}

describe('an edge that looks at its memory', () => {
  it('keeps newcomers off near its limit, says so once, and takes them again by itself', () => {
    const stage = new Stage();
    stage.looks(0.5, 3);
    expect(stage.node.memory).toEqual({ part: 0.5, of: 'process' });
    expect(stage.watch.note()).toBeUndefined();
    stage.looks(0.88, 10);
    expect(stage.node).toMatchObject({ state: 'cordoned', cordonedBy: 'memory', isLowOnMemory: true });
    expect(stage.node.memory).toEqual({ part: 0.88, of: 'process', isLow: true });
    expect(stage.watch.note()).toContain('88 %');
    stage.looks(0.5, 11);
    expect(stage.node).toMatchObject({ state: 'active', cordonedBy: undefined });
    expect(stage.changes).toEqual(['cordoned', 'active']);
    expect(stage.said).toEqual([
      'memory is low: no newcomers are taken',
      'memory is enough again: newcomers are taken',
    ]);
    expect(stage.collected).toBe(1);
  });

  it('asks to be relieved of sessions further on, where nobody is slow', () => {
    const stage = new Stage();
    const quick = socket(65_535);
    stage.sockets.push(quick);
    stage.looks(0.96, 4);
    expect(stage.node.memory).toEqual({ part: 0.96, of: 'process', isLow: true });
    stage.looks(0.96, 1);
    expect(stage.node.memory).toEqual({ part: 0.96, of: 'process', isLow: true, isShort: true });
    expect(quick.closedWith).toBeUndefined();
    stage.looks(0.86, 1);
    expect(stage.node.memory).toEqual({ part: 0.86, of: 'process', isLow: true });
    expect(stage.said).toContain('memory is short: sessions are to go elsewhere');
  });

  it('closes slow sockets first, those with most to read ahead of others and ten at a look', () => {
    const stage = new Stage();
    const slow = Array.from({ length: 12 }, (_, n) => socket((n + 1) * 100_000));
    const busy = socket(900_000);
    stage.sockets.push(busy, ...slow);
    stage.looks(0.96, 5);
    expect(slow.filter((s) => s.closedWith)).toEqual([]);
    // It has read all of it meanwhile.
    busy.outbox.bytes = 0;
    stage.looks(0.96, 1);
    expect(slow.map((s) => s.closedWith)).toEqual([
      undefined,
      undefined,
      ...Array.from({ length: 10 }, () => closeCodes.drained),
    ]);
    busy.outbox.bytes = 900_000;
    stage.looks(0.96, 1);
    expect(slow.every((s) => s.closedWith === closeCodes.drained)).toBe(true);
    busy.outbox.bytes = 0;
    stage.looks(0.96, 10);
    expect(stage.watch.shed).toBe(12);
    expect(busy.closedWith).toBeUndefined();
    // What they held is free only a while after.
    expect(stage.node.memory).toEqual({ part: 0.96, of: 'process', isLow: true });
    stage.looks(0.96, 9);
    expect(stage.node.memory).toEqual({ part: 0.96, of: 'process', isLow: true, isShort: true });
  });
});
