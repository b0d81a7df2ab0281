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
});
