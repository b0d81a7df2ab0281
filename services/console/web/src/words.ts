/** What states are called on the page. */

export function stateWord(state: string, sessions: number): string {
  switch (state) {
    case 'cordoned':
      return sessions > 0 ? 'cordoned' : 'drained';
    case 'draining':
      return 'stopping';
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

/** A close code of the mesh, in a word. */
export const closeWord: Readonly<Record<string, string>> = {
  1000: 'client left',
  1001: 'page closed',
  1006: 'connection lost',
  4000: 'node stopped',
  4001: 'moved',
  4502: 'disconnected by an operator',
  4503: 'denied',
};
