/** What a client hands to its application, in order. */
export type Item = Delivery | Gap;

export interface Delivery {
  readonly kind: 'delivery';
  readonly at: number;
  /** As the frame has it; `~…`: made by the edge. */
  readonly id: string;
  /** The event's name; for a message its topic. */
  readonly name: string;
  readonly data: unknown;
  /** It may be a repeat that nobody can tell from a new one: handed on, and marked as such. */
  readonly isDoubtful: boolean;
  /** Connection and `seq`, to find it in the log. */
  readonly where: string;
}

export interface Gap {
  readonly kind: 'gap';
  readonly at: number;
  readonly reason: string;
  readonly connection: string;
  /** The client itself concluded it. */
  readonly isOwn: boolean;
}

export const isMade = (id: string): boolean => id.startsWith('~');
