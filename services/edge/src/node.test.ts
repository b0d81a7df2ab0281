import { describe, expect, it } from 'vitest';
import { EdgeNode } from './node.js';

describe('an edge node', () => {
  it('is cordoned and uncordoned, until it drains, which is for good', () => {
    const node = new EdgeNode('edge-1', 'b');
    const seen: string[] = [];
    node.onChange(() => seen.push(node.state));
    node.cordon();
    node.uncordon();
    node.drain();
    node.uncordon();
    expect(seen).toEqual(['cordoned', 'active', 'draining', 'draining']);
    expect(node.isDraining).toBe(true);
  });

  it('is cordoned until clients that dial its URL get here, and longer if an operator says so', () => {
    const node = new EdgeNode('edge-1', 'b');
    const seen: unknown[][] = [];
    node.onChange(() => seen.push([node.state, node.cordonedBy, node.isReachable]));
    node.reaches('checking');
    node.reaches('no');
    node.uncordon();
    node.cordon();
    node.reaches('yes');
    node.uncordon();
    node.reaches('no');
    node.drain();
    expect(seen).toEqual([
      ['cordoned', 'unreachable', undefined],
      ['cordoned', 'unreachable', false],
      ['cordoned', 'unreachable', false],
      ['cordoned', 'operator', false],
      ['cordoned', 'operator', true],
      ['active', undefined, true],
      ['cordoned', 'unreachable', false],
      ['draining', 'unreachable', false],
    ]);
  });

  it('is cordoned by a mark from before, until it is commanded', () => {
    const node = new EdgeNode('edge-1', 'b');
    const seen: unknown[][] = [];
    node.onChange(() => seen.push([node.state, node.cordonedBy, node.isCommanded]));
    node.mark(true);
    node.mark(false);
    node.mark(true);
    node.uncordon();
    node.mark(true);
    expect(seen).toEqual([
      ['cordoned', 'operator', false],
      ['active', undefined, false],
      ['cordoned', 'operator', false],
      ['active', undefined, true],
    ]);
  });

  it('is cordoned while its memory is low, beside what an operator says: each reason holds by itself', () => {
    const node = new EdgeNode('edge-1', 'b');
    const seen: unknown[][] = [];
    node.onChange(() => seen.push([node.state, node.cordonedBy, node.isLowOnMemory]));
    const part = { part: 0.9, of: 'heap' } as const;
    node.usesMemory(part);
    node.usesMemory({ ...part, isLow: true });
    node.usesMemory({ ...part, isLow: true, part: 0.93 });
    node.cordon();
    node.uncordon();
    node.cordon();
    node.usesMemory(part);
    node.uncordon();
    expect(seen).toEqual([
      ['cordoned', 'memory', true],
      ['cordoned', 'operator', true],
      ['cordoned', 'memory', true],
      ['cordoned', 'operator', true],
      ['cordoned', 'operator', false],
      ['active', undefined, false],
    ]);
  });
});
