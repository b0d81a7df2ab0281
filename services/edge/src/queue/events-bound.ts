/** What leads from `mesh.events` to the queues of sessions, and may have gone. */
export interface EventsBound {
  /** Rejects while there is no `mesh.events` to bind to. What has gone otherwise is known by then. */
  whenBindable(): Promise<void>;
  /**
   * Has the session's queue bound by `bind` where that is owed to it, unless somebody is at it. `bind` says false where nothing is bound
   * again: the queue is a new one.
   */
  bindOwed(who: { readonly uid: string; readonly sid: string }, bind: () => Promise<boolean>): Promise<void>;
}
