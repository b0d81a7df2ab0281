/** The message that an edge sends through its topic queue, and through that of an edge that sessions move to. */

/** Its number among those of this process, and which sessions leave: names of words without spaces. */
export const markerBody = (marker: number, leaving: readonly { readonly session: string }[]): string =>
  [marker, ...leaving.map(({ session }) => session)].join(' ');

export function markerOf(body: Buffer): { marker: number; sessions: string[] } {
  const [marker, ...sessions] = body.toString('utf8').split(' ');
  return { marker: Number(marker), sessions };
}

/** The marker's name in the whole mesh. */
export const markName = (boot: string, marker: number): string => `${boot}.${marker}`;

/** The same, of another process: its key ends with that one's boot id. */
export const markOf = (key: string, marker: number): string =>
  markName(key.slice(key.lastIndexOf('.') + 1), marker);

/** A session that leaves for another edge. */
export interface Leaver {
  /** `<uid>.<sid>` */
  readonly session: string;
  /** The edge that it moves to, which tells its client where it has the same mark. */
  readonly to: string;
  /** Called between what was published before the mark and what was published after it. */
  reached(mark: string): void;
  /** Called after that: something older than the mark was dropped, which is known only now. */
  dropped(): void;
}
