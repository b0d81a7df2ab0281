/** A node as far as changes go. */
export interface Seen {
  readonly node: string;
  /** As `status` shows it. */
  readonly state: string;
  readonly boot: string;
}

/** What has become of a node. */
export interface NodeChange {
  readonly node: string;
  readonly text: string;
}

const became: Readonly<Record<string, string>> = {
  cordoned: 'is cordoned',
  draining: 'is draining',
  suspect: 'has not reported for 3 s',
  gone: 'is gone',
};

/** What becomes of nodes between two looks, in words. */
export class NodeChanges {
  #before: ReadonlyMap<string, Seen> | undefined;

  /** Another begins to look: what it finds is no change. */
  restart(): void {
    this.#before = undefined;
  }

  take(nodes: readonly Seen[]): NodeChange[] {
    const before = this.#before;
    this.#before = new Map(nodes.map((seen) => [seen.node, seen]));
    if (before === undefined) return [];
    return nodes.flatMap((now) => {
      const text = changeOf(before.get(now.node), now);
      return text === undefined ? [] : [{ node: now.node, text: `${now.node} ${text}` }];
    });
  }
}

function changeOf(before: Seen | undefined, now: Seen): string | undefined {
  const state = became[now.state];
  if (before === undefined) return state === undefined ? 'has joined' : `has joined and ${state}`;
  if (before.boot !== now.boot)
    return state === undefined ? 'has started anew' : `has started anew and ${state}`;
  if (before.state === now.state) return undefined;
  if (state !== undefined || before.state === 'joining') return state;
  if (before.state === 'suspect' || before.state === 'gone') return 'is back';
  return 'takes clients again';
}
