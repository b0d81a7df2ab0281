/** What a thread is to fuzz, and for how long. */
export interface Order {
  readonly target: string;
  readonly seed: number;
  readonly ms: number;
  /** So many at most, beside the corpus. */
  readonly inputs: number;
  readonly shared: SharedArrayBuffer;
}
