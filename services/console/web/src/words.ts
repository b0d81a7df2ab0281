/** What states are called on the page. */

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
