/** Deliveries at the queue's head, so many, that were written to this connection, the first with this `seq`. */
export interface Position {
  readonly connection: string;
  readonly seq: number;
  readonly count: number;
}
