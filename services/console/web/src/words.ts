/** What states are called on the page, and what is said of them. */

export function stateWord(state: string, sessions: number): string {
  switch (state) {
    case 'cordoned':
      return sessions > 0 ? 'cordoned' : 'drained';
    case 'draining':
      return sessions > 0 ? 'draining' : 'drained';
    case 'suspect':
      return 'no answer';
    case 'gone':
      return 'gone';
    default:
      return state;
  }
}

export const planWord: Readonly<Record<string, string>> = {
  rebalance: 'Rebalance',
  drain: 'Drain',
  undo: 'Undo',
};

/** Why nothing newer is known, as far as that is known itself. `silentMs`: for how long the balancer has heard of no node. */
export const staleReason = (problem: string | undefined, silentMs: number | undefined): string =>
  problem ?? (silentMs === undefined ? 'No newer view has come.' : 'No node has been heard since.');
