/**
 * <node-bars>: nodes as columns that fill and level out, and clients as dots that move between them. Three files, no
 * dependency, no build. It draws what it is given and asks for nothing:
 *
 *   bars.nodes = [{ node: 'edge-1', sessions: 67, state: 'active', label?: 'draining', actions?: [{ name, label }] }, …];
 *   bars.dots = [{ id: 'a', node: 'edge-1' }, { id: 'b', node: undefined }, { id: 'me', node: 'edge-2', isOwn: true }, …];
 *
 * A dot without a node stays, hollow, where it was. A press of a node's button is an event `node-action` with
 * `detail: { node, action }`. Colours are the custom properties of the style sheet below, for a page to set.
 * It renders outside of a shadow root, so that tests and style sheets reach what is in it.
 */

import { drawDot, drawOwn } from './node-bars-draw.js';
import { sheet } from './node-bars-style.js';

/** Dots that are drawn; the columns count all sessions, however many there are. */
const maxDots = 1_200;
const moveMs = 750;
/** Moves that were seen in one look have not happened at one moment. */
const spreadMs = 350;
const settleMs = 350;
/** The largest distance between two dots, px. */
const maxCellPx = 21;
const minCellPx = 3;
const maxColumnPx = 230;
/** Narrower than this they are not: the whole then scrolls to the side. */
const minColumnPx = 52;
const narrowColumnPx = 80;
/** How far the line of the level reaches beyond the columns. */
const overhangPx = 10;
/** What the word beside that line takes. */
const levelWordPx = 72;
/** A column shows at least this many sessions: two of two clients are not a full node. */
const minScale = 12;

/** @param {string} name @param {string} className @param {Node[]} children */
function make(name, className, ...children) {
  const element = document.createElement(name);
  element.className = className;
  element.append(...children);
  return element;
}

/** A column of the page: the elements of one node. */
class Column {
  constructor(node) {
    this.node = node;
    /** Ids of its dots from the bottom up, row by row. */
    this.slots = [];
    this.fill = make('div', 'nb-fill');
    this.tank = make('div', 'nb-tank', this.fill);
    this.tank.setAttribute('aria-hidden', 'true');
    this.count = make('span', '');
    this.name = make('p', 'nb-name', node);
    this.name.title = node;
    this.state = make('p', 'nb-state');
    this.actions = make('div', 'nb-actions');
    const sessions = make('span', 'nb-hidden', ' sessions');
    this.element = make('li', 'nb-column');
    this.element.dataset.testid = `node-${node}`;
    this.element.append(
      this.tank,
      make('p', 'nb-count', this.count, sessions),
      this.name,
      this.state,
      this.actions,
    );
  }

  show({ sessions, state, label = state === 'active' ? '' : state, actions = [] }) {
    this.sessions = sessions;
    this.element.dataset.state = state;
    this.element.dataset.sessions = String(sessions);
    setText(this.count, String(sessions));
    setText(this.state, label);
    const wanted = actions.map((action) => `${action.name} ${action.label}`).join('|');
    if (this.actions.dataset.shown === wanted) return;
    this.actions.dataset.shown = wanted;
    this.actions.replaceChildren(
      ...actions.map(({ name, label: text }) => {
        const button = make('button', 'nb-action', text);
        button.type = 'button';
        button.setAttribute('aria-label', `${text}: ${this.node}`);
        button.addEventListener('click', () => {
          const detail = { node: this.node, action: name };
          this.element.dispatchEvent(new CustomEvent('node-action', { bubbles: true, detail }));
        });
        return button;
      }),
    );
  }
}

/** Text is set only when it changes: else a reader of the screen would lose its place. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export class NodeBars extends HTMLElement {
  #columns = new Map();
  #dots = new Map();
  #list = make('ol', 'nb-columns');
  #canvas = make('canvas', '');
  #level = make('div', 'nb-level');
  #stage = make('div', 'nb-stage', this.#list, this.#level, this.#canvas);
  #levelText = make('span', '');
  #scale = minScale;
  #cell = maxCellPx;
  #perRow = 1;
  #frame = 0;
  #isLaidOut = false;
  #resize = new ResizeObserver(() => this.#layOut());
  #scheme = matchMedia('(prefers-color-scheme: dark)');
  #stillness = matchMedia('(prefers-reduced-motion: reduce)');
  #redraw = () => this.#animate();

  connectedCallback() {
    const root = this.getRootNode();
    if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
    this.#list.setAttribute('aria-label', 'Nodes and their sessions');
    this.#canvas.setAttribute('aria-hidden', 'true');
    this.#level.setAttribute('aria-hidden', 'true');
    this.#level.append(this.#levelText);
    this.append(this.#stage);
    this.#resize.observe(this);
    this.#scheme.addEventListener('change', this.#redraw);
  }

  disconnectedCallback() {
    this.#resize.disconnect();
    this.#scheme.removeEventListener('change', this.#redraw);
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  /** In the order in which they are shown. */
  set nodes(nodes) {
    const names = new Set(nodes.map(({ node }) => node));
    for (const [name, column] of this.#columns) {
      if (names.has(name)) continue;
      column.element.remove();
      this.#columns.delete(name);
      for (const id of column.slots) this.#dots.get(id).column = undefined;
    }
    nodes.forEach((node, i) => {
      const column = this.#columns.get(node.node) ?? new Column(node.node);
      this.#columns.set(node.node, column);
      column.show(node);
      if (this.#list.children[i] !== column.element) {
        this.#list.insertBefore(column.element, this.#list.children[i] ?? null);
      }
    });
    this.#layOut();
  }

  set dots(dots) {
    const given = dots.slice(0, maxDots);
    const ids = new Set(given.map(({ id }) => id));
    for (const [id, dot] of this.#dots) {
      if (ids.has(id)) continue;
      this.#leave(dot);
      this.#dots.delete(id);
    }
    for (const { id, node, isOwn = false } of given) {
      const dot = this.#dots.get(id) ?? { id, isOwn, column: undefined, x: undefined, y: undefined };
      this.#dots.set(id, dot);
      const column = node === undefined ? undefined : this.#columns.get(node);
      dot.isAway = column === undefined;
      if (column === undefined || column === dot.column) continue;
      this.#leave(dot);
      dot.column = column;
      column.slots.push(id);
    }
    for (const dot of this.#dots.values()) if (dot.isOwn) this.#raise(dot);
    this.#layOut();
  }

  /** The dot at the top takes the place that becomes free: so the fewest dots move. */
  #leave(dot) {
    const slots = dot.column?.slots;
    dot.column = undefined;
    if (slots === undefined) return;
    const last = slots.pop();
    const place = slots.indexOf(dot.id);
    if (place >= 0) slots[place] = last;
  }

  /** This dot is always at the top, where it is found. */
  #raise({ id, column }) {
    const slots = column?.slots ?? [];
    const place = slots.indexOf(id);
    if (place < 0 || place === slots.length - 1) return;
    slots[place] = slots.at(-1);
    slots[slots.length - 1] = id;
  }

  /** Sizes of columns and cells, then the way of every dot to its place. */
  #layOut() {
    const columns = [...this.#columns.values()];
    if (this.clientWidth === 0 || columns.length === 0) return;
    // Room for four from the start: a node that is added makes the others no narrower.
    const places = Math.max(4, columns.length);
    const gap = places > 8 || this.clientWidth < 500 ? 8 : 18;
    const width = Math.max(this.clientWidth, places * (minColumnPx + gap) - gap);
    const share = Math.floor((width - gap * (places - 1)) / places);
    const columnWidth = Math.min(maxColumnPx, share);
    this.#stage.style.width = `${width}px`;
    this.#list.style.gap = `${gap}px`;
    this.#list.classList.toggle('nb-narrow', columnWidth < narrowColumnPx);
    for (const { element } of columns) element.style.width = `${columnWidth}px`;

    const counts = columns.map(({ sessions, slots }) => Math.max(sessions, slots.length));
    const most = Math.max(minScale, ...counts);
    if (most > this.#scale || most < this.#scale * 0.55) this.#scale = Math.ceil(most * 1.15);
    const { clientHeight: height, clientWidth: inner } = columns[0].tank;
    this.#fit(inner - 6, height - 4);

    const mean = this.#mean(columns);
    for (const column of columns) {
      column.fill.style.height = `${Math.min(height, this.#heightOf(column.sessions))}px`;
    }
    this.#level.hidden = mean === undefined;
    if (mean !== undefined) {
      const { offsetLeft: left, offsetTop: top } = columns[0].element;
      const right = columns.at(-1).element.offsetLeft + columnWidth;
      this.#level.style.top = `${top + 1 + height - this.#heightOf(mean)}px`;
      this.#level.style.left = `${left - overhangPx}px`;
      this.#level.style.width = `${right - left + 2 * overhangPx}px`;
      this.#levelText.hidden = width - right < levelWordPx;
      setText(this.#levelText, `level ${Math.round(mean)}`);
    }
    this.#aim(height);
    this.#isLaidOut = true;
    this.#animate();
  }

  /** The largest cells of which a column holds as many as the scale says. */
  #fit(width, height) {
    let cell = maxCellPx;
    while (cell > minCellPx && Math.floor(width / cell) * Math.floor(height / cell) < this.#scale)
      cell -= 0.5;
    this.#cell = cell;
    this.#perRow = Math.max(1, Math.floor(width / cell));
  }

  #heightOf(sessions) {
    return (sessions / this.#perRow) * this.#cell + (sessions > 0 ? 2 : 0);
  }

  /** What each would have if all that take clients had the same. */
  #mean(columns) {
    const open = columns.filter(({ element }) => element.dataset.state === 'active');
    if (open.length < 2) return undefined;
    // While clients move, the reports of two nodes are not of the same moment.
    const reported = columns.reduce((sum, { sessions }) => sum + sessions, 0);
    return Math.max(reported, this.#dots.size) / open.length;
  }

  /** Sends every dot on the way to its place. */
  #aim(height) {
    const now = performance.now();
    const cell = this.#cell;
    for (const column of this.#columns.values()) {
      const { offsetLeft, offsetTop } = column.element;
      const left = offsetLeft + 1 + (column.tank.clientWidth - this.#perRow * cell) / 2;
      column.slots.forEach((id, slot) => {
        const dot = this.#dots.get(id);
        const x = left + ((slot % this.#perRow) + 0.5) * cell;
        const y = offsetTop + 1 + height - 2 - (Math.floor(slot / this.#perRow) + 0.5) * cell;
        if (dot.toX === x && dot.toY === y) return;
        const isFirst = dot.x === undefined;
        const hasMoved = dot.shownIn !== column.node;
        Object.assign(dot, { toX: x, toY: y, shownIn: column.node });
        if (this.#stillness.matches || (isFirst && !this.#isLaidOut)) {
          Object.assign(dot, { x, y, way: undefined });
          return;
        }
        // A new client drops in from above.
        if (isFirst) Object.assign(dot, { x, y: 0 });
        dot.way = {
          fromX: dot.x,
          fromY: dot.y,
          atMs: now + (hasMoved ? Math.random() * spreadMs : 0),
          ms: hasMoved ? moveMs : settleMs,
          arcPx: hasMoved && !isFirst ? 26 + Math.abs(x - dot.x) * 0.08 : 0,
        };
      });
    }
  }

  #animate() {
    if (this.#frame === 0) this.#frame = requestAnimationFrame((now) => this.#draw(now));
  }

  #draw(now) {
    this.#frame = 0;
    const ratio = devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.#stage;
    const canvas = this.#canvas;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    const context = canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(this);
    const colours = {
      dot: style.getPropertyValue('--nb-dot'),
      away: style.getPropertyValue('--nb-lost'),
      own: style.getPropertyValue('--nb-own'),
      tank: style.getPropertyValue('--nb-tank'),
    };
    const radius = this.#cell * 0.37;
    let isMoving = false;
    let own;
    for (const dot of this.#dots.values()) {
      if (dot.x === undefined) continue;
      if (this.#step(dot, now)) isMoving = true;
      if (dot.isOwn) own = dot;
      else drawDot(context, dot, radius, dot.isAway ? colours.away : colours.dot);
    }
    if (own !== undefined) drawOwn(context, own, radius, colours, width);
    if (isMoving) this.#animate();
  }

  /** Whether it goes on moving. */
  #step(dot, now) {
    const { way, toX, toY } = dot;
    if (way === undefined) return false;
    const part = Math.min(1, Math.max(0, (now - way.atMs) / way.ms));
    const eased = part < 0.5 ? 4 * part ** 3 : 1 - (-2 * part + 2) ** 3 / 2;
    dot.x = way.fromX + (toX - way.fromX) * eased;
    const arc = way.arcPx * 4 * eased * (1 - eased);
    dot.y = Math.max(this.#cell, way.fromY + (toY - way.fromY) * eased - arc);
    if (part < 1) return true;
    Object.assign(dot, { x: toX, y: toY, way: undefined });
    return false;
  }
}

customElements.define('node-bars', NodeBars);
