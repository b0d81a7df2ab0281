import { describe, expect, it } from 'vitest';
import { crowdView, type LocalStatus } from './crowd-view.js';

const counts = {
  ...{ clients: 3, size: 4, events: 90, eventsPerSecond: 3, lost: 1, repeated: 2, reordered: 3 },
  ...{ gaps: 4, moves: 5, waiting: 6, unrouted: 7 },
};
const local = (edges: LocalStatus['edges'], crowd: Partial<LocalStatus['crowd']> = {}): LocalStatus => ({
  edges,
  crowd: { ...counts, nodes: [], places: [], ...crowd },
});
const running = (...names: string[]) => names.map((node) => ({ node, phase: 'running' }));
const reported = (...names: string[]) => names.map((node) => ({ node, state: 'active', sessions: 5 }));

describe('the view of the crowd', () => {
  it('has the nodes in the order of their numbers, and no counts without an npm start', () => {
    const view = crowdView(reported('edge-10', 'edge-2'), undefined);
    expect(view.nodes.map(({ node }) => node)).toEqual(['edge-2', 'edge-10']);
    expect(view).toMatchObject({ clients: 0, events: 0, lost: 0, canControl: false, places: [] });
  });

  it('has the counts of the crowd, and where each client is among the nodes', () => {
    const crowd = { nodes: ['edge-2', 'edge-1', 'elsewhere'], places: [0, 1, -1, 2] };
    const view = crowdView(reported('edge-1', 'edge-2'), local(running('edge-1', 'edge-2'), crowd));
    expect(view).toMatchObject({ clients: 3, lost: 1, repeated: 2, reordered: 3, gaps: 4, canControl: true });
    expect(view.places).toEqual([1, 0, -1, -1]);
    expect(view).not.toHaveProperty('unrouted');
  });

  it('says at once that an edge starts or has died, whatever it last reported', () => {
    const edges = [
      { node: 'edge-1', phase: 'ended' },
      { node: 'edge-2', phase: 'starting' },
      { node: 'edge-3', phase: 'running' },
    ];
    expect(crowdView(reported('edge-1', 'edge-3'), local(edges)).nodes).toEqual([
      { node: 'edge-1', state: 'crashed', sessions: 0 },
      { node: 'edge-2', state: 'starting', sessions: 0 },
      { node: 'edge-3', state: 'active', sessions: 5 },
    ]);
  });

  it('leaves out an edge that was stopped, and keeps one that somebody else has started', () => {
    const nodes = [
      { node: 'edge-1', state: 'active', sessions: 5 },
      { node: 'edge-2', state: 'suspect', sessions: 0 },
      { node: 'other', state: 'suspect', sessions: 9 },
    ];
    expect(crowdView(nodes, local(running('edge-1'))).nodes).toEqual([
      { node: 'edge-1', state: 'active', sessions: 5 },
      { node: 'other', state: 'silent', sessions: 9 },
    ]);
  });
});
