/** One event of a stream of server-sent events; `comment`: one or more lines that are none. */
export type StreamEvent = { readonly event: string; readonly data: string } | 'comment';

/** Takes a stream of server-sent events apart, of which text comes in pieces. */
export class StreamReader {
  #rest = '';
  #event = '';
  #data: string[] = [];
  #hasCarriageReturn = false;

  /** The events that are complete with this piece. */
  take(text: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    // A line feed behind a carriage return that ended the last piece is no line of its own.
    const piece = this.#hasCarriageReturn && text.startsWith('\n') ? text.slice(1) : text;
    if (text !== '') this.#hasCarriageReturn = text.endsWith('\r');
    const lines = (this.#rest + piece).split(/\r\n|\r|\n/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#takeLine(line, events);
    return events;
  }

  #takeLine(line: string, events: StreamEvent[]): void {
    if (line === '') {
      if (this.#data.length > 0) events.push({ event: this.#event, data: this.#data.join('\n') });
      this.#event = '';
      this.#data = [];
      return;
    }
    if (line.startsWith(':')) {
      events.push('comment');
      return;
    }
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
    if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
  }
}
