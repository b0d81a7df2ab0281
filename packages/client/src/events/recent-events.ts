/**
 * Which directed events were received lately: the last `capacity`.
 *
 * An id that begins with `~` was derived from content, so different events may share it: such an event is a
 * repeat only when it is marked `redelivered` and one of that id came on an *earlier* connection and has not come
 * again on this one yet. (The broker repeats each event at most once per connection.)
 */
export class RecentEvents {
  /** Ids remembered; at least 2 × the edge's window. */
  capacity: number;
  private readonly ids = new Set<string>();
  private readonly derived: { id: string; generation: number }[] = [];

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Notes an arrival; true when it is a repeat. */
  isRepeat(id: string, generation: number, isRedelivered: boolean): boolean {
    if (id.startsWith('~')) {
      if (isRedelivered) {
        const earlier = this.derived.find((e) => e.id === id && e.generation < generation);
        if (earlier) {
          earlier.generation = generation;
          return true;
        }
      }
      if (this.derived.push({ id, generation }) > this.capacity) this.derived.shift();
      return false;
    }
    if (this.ids.has(id)) return true;
    this.ids.add(id);
    if (this.ids.size > this.capacity) {
      for (const oldest of this.ids) {
        this.ids.delete(oldest);
        break;
      }
    }
    return false;
  }
}
