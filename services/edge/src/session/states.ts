/** A session's life on one edge: from each state, those it may be left for. */
export const transitions = {
  /** The connection is open, hello not yet here. */
  opened: ['attaching', 'releasing'],
  /** Getting hold of the queue. */
  attaching: ['attached', 'releasing', 'gone'],
  /** Consuming and delivering. */
  attached: ['releasing'],
  /** No longer consuming; what is held is being settled. */
  releasing: ['moved', 'gone'],
  /** `moved` has been sent: only acks are looked at. */
  moved: [],
  gone: [],
} as const;

export type SessionState = keyof typeof transitions;

/**
 * The only way from one state to another.
 * @throws Error where the table knows no such way: a fault of this code, never of a client.
 */
export function next(from: SessionState, to: SessionState): SessionState {
  const ways: readonly SessionState[] = transitions[from];
  if (!ways.includes(to)) throw new Error(`a session that is ${from} cannot become ${to}`);
  return to;
}
