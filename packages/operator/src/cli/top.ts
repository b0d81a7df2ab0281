import type { StatusAnswer } from '@evenkeel/protocol';
import { nodeColumns, type Selection, type SortKey, selected, sortKeys } from './nodes.js';
import { noneText, summaryLines } from './status.js';
import { clock, counted, table } from './table.js';
import type { Paint } from './terminal.js';
import type { Screen, Watched } from './watch.js';

/** Keys that sort, by their first letters: all are different, and none is that of another key. */
const sortsBy = new Map<string, SortKey>(
  sortKeys.map((key) => [key === 'state' ? 't' : key.slice(0, 1), key]),
);

const pageUp = '\u001b[5~';
const pageDown = '\u001b[6~';
const steps: Record<string, (page: number) => number> = {
  '\u001b[A': () => -1,
  k: () => -1,
  '\u001b[B': () => 1,
  j: () => 1,
  [pageUp]: (page) => -page,
  [pageDown]: (page) => page,
  ' ': (page) => page,
  '\u001b[H': () => Number.NEGATIVE_INFINITY,
  g: () => Number.NEGATIVE_INFINITY,
};

/** Notes about nodes at most: the nodes themselves are what is watched. */
const maxNotes = 4;

/** The status, live: as many nodes as the screen has room for, the fullest first, and keys that sort and scroll. */
export class Top implements Watched {
  readonly #paint: Paint;
  readonly #now: () => number;
  #selection: Selection;
  #first = 0;
  /** Nodes, and how many of them are seen at once. */
  #count = 0;
  #page = 1;

  constructor(selection: Selection, paint: Paint, now: () => number = Date.now) {
    this.#selection = selection;
    this.#paint = paint;
    this.#now = now;
  }

  key(key: string): boolean {
    const sort = sortsBy.get(key);
    if (sort !== undefined) {
      this.#selection = { ...this.#selection, sort };
      this.#first = 0;
    }
    this.#first = Math.min(this.#first + (steps[key]?.(this.#page) ?? 0), this.#count - this.#page);
    this.#first = Math.max(0, this.#first);
    return false;
  }

  text(status: StatusAnswer, screen: Screen | undefined): string {
    const { sort = 'node' } = this.#selection;
    const help = screen === undefined ? '' : `  (${[...sortsBy.keys()].join(' ')} sort, q quits)`;
    const title = `evenkeel top  ${clock(this.#now())}  by ${sort}${help}`;
    const above = [this.#paint('dim', title), ...summaryLines(status, screen && maxNotes), ''];
    return [...above, ...this.#nodes(status, screen, above.length)].join('\n');
  }

  #nodes(status: StatusAnswer, screen: Screen | undefined, above: number): string[] {
    const nodes = selected(status.nodes, this.#selection);
    if (nodes.length === 0) return [noneText(this.#selection)];
    const columns = nodeColumns(nodes, { isWide: false, paint: this.#paint });
    const [header = '', ...rows] = table(
      nodes,
      columns,
      (text) => this.#paint('bold', text),
      screen?.columns,
    ).split('\n');
    this.#count = rows.length;
    const room = screen === undefined ? rows.length : Math.max(1, screen.rows - above - 1);
    if (rows.length <= room) {
      this.#page = rows.length;
      return [header, ...rows];
    }
    // The last line says how many there are.
    this.#page = Math.max(1, room - 1);
    const first = Math.min(this.#first, rows.length - this.#page);
    const seen = rows.slice(first, first + this.#page);
    const more = `${first + 1} to ${first + seen.length} of ${counted(rows.length, 'node')}; arrows and page keys show the others`;
    return [header, ...seen, this.#paint('dim', more)];
  }
}
