/** Where each node is drawn, and how much of it is full. No canvas and no time: given nodes and a width, the same layout. */

/** One node, as the picture needs it. */
export interface BarNode {
  readonly node: string;
  readonly sessions: number;
  readonly state: string;
  readonly capacity?: number | undefined;
  readonly weight?: number | undefined;
  /** What a proposed plan would leave on it. */
  readonly after?: number | undefined;
}

/** `fit`: all bars on one scale, as high as the fullest needs. `capacity`: each against its own capacity. */
export type Scale = 'fit' | 'capacity';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  /** Few nodes: tanks with dots and names. Many: a wall of small bars. */
  readonly mode: 'tanks' | 'wall';
  /** Of the whole picture, px. */
  readonly height: number;
  readonly boxes: readonly Box[];
  /** Sessions that a full bar holds, where all have one scale. */
  readonly full: number;
  /** Tanks alone: the side of a dot's cell in px, dots in a row, and sessions that a dot stands for. */
  readonly cell: number;
  readonly perRow: number;
  readonly perDot: number;
}

/** More nodes than this become a wall. */
export const maxTanks = 16;
const minTankPx = 46;
const maxTankPx = 190;
const maxCellPx = 21;
const minCellPx = 6.5;
/** Dots in all: each is drawn sixty times a second while it moves. */
const maxDots = 800;
/** A bar shows at least this many sessions: two of two are not a full node. */
const minFull = 12;
/** Above the tanks, for dots on their way; below them, for count, name and state. */
const headPx = 26;
const labelPx = 74;
const wallMaxPx = 430;
const wallGapPx = 3;
const wallRowGapPx = 5;

/** How full a bar is, 0 to 1. */
export function fractionOf(sessions: number, node: BarNode, scale: Scale, full: number): number {
  const whole = scale === 'capacity' ? (node.capacity ?? full) : full;
  return whole <= 0 ? 0 : Math.min(1, sessions / whole);
}

/** What a full bar shall hold: as before while that fits, so that a picture does not jump. */
export function fullOf(nodes: readonly BarNode[], before: number): number {
  const most = Math.max(minFull, ...nodes.map(({ sessions, after = 0 }) => Math.max(sessions, after)));
  // Where that is no waste of room, a full bar is a full node.
  const capacity = Math.max(0, ...nodes.map((node) => node.capacity ?? 0));
  if (capacity >= most && capacity <= most * 2) return capacity;
  return most > before || most < before * 0.5 ? Math.ceil(most * 1.18) : before;
}

/** What each node would have if all that take clients had their share; undefined with fewer than two of them. */
export function levelOf(nodes: readonly BarNode[]): number | undefined {
  const open = nodes.filter(({ state }) => state === 'active');
  const isEven = open.every(({ weight = 1 }) => weight === (open[0]?.weight ?? 1));
  if (open.length < 2 || !isEven) return undefined;
  return nodes.reduce((sum, { sessions }) => sum + sessions, 0) / open.length;
}

export function layOut(nodes: readonly BarNode[], width: number, full: number): Layout {
  const share = width / Math.max(1, nodes.length);
  return nodes.length <= maxTanks && share >= minTankPx
    ? tanks(nodes, width, full)
    : wall(nodes, width, full);
}

function tanks(nodes: readonly BarNode[], width: number, wanted: number): Layout {
  // Room for four from the start: a node that is added makes the others no narrower.
  const places = Math.max(width < 600 ? 3 : 5, nodes.length);
  const gap = places > 8 || width < 600 ? 8 : 18;
  const tank = Math.min(maxTankPx, Math.floor((width - gap * (places - 1)) / places));
  const height = width < 600 ? 170 : 230;
  const left = (width - nodes.length * (tank + gap) + gap) / 2;
  const total = nodes.reduce((sum, { sessions }) => sum + sessions, 0);
  const { cell, perRow, perDot } = dotsIn(tank - 8, height - 6, wanted, total);
  return {
    mode: 'tanks',
    height: headPx + height + labelPx,
    boxes: nodes.map((_, i) => ({ x: left + i * (tank + gap), y: headPx, width: tank, height })),
    full: ((perRow * (height - 4)) / cell) * perDot,
    cell,
    perRow,
    perDot,
  };
}

/** The largest cells in which a tank holds what it shall hold, and the fewest sessions a dot. */
function dotsIn(width: number, height: number, full: number, total: number) {
  for (let perDot = 1; ; perDot = nextRound(perDot)) {
    if (total / perDot > maxDots) continue;
    for (let cell = maxCellPx; cell >= minCellPx; cell -= 0.5) {
      const perRow = Math.max(1, Math.floor(width / cell));
      if (perRow * Math.floor(height / cell) * perDot >= full) return { cell, perRow, perDot };
    }
  }
}

/** 1, 2, 5, 10, 20, 50, … */
function nextRound(n: number): number {
  return String(n).startsWith('2') ? n * 2.5 : n * 2;
}

function wall(nodes: readonly BarNode[], width: number, full: number): Layout {
  const inner = Math.max(60, width);
  for (let bar = 30; ; bar--) {
    const inRow = Math.max(1, Math.floor((inner + wallGapPx) / (bar + wallGapPx)));
    const rows = Math.ceil(nodes.length / inRow);
    if (rows * (Math.max(16, 2.4 * bar) + wallRowGapPx) > wallMaxPx && bar > 5) continue;
    const high = Math.max(16, Math.min(90, 5 * bar, Math.floor(wallMaxPx / rows) - wallRowGapPx));
    const height = rows * (high + wallRowGapPx);
    const used = Math.min(inRow, nodes.length);
    const step = Math.min((inner + wallGapPx) / used, bar + wallGapPx + 3);
    return {
      mode: 'wall',
      height: height + 4,
      boxes: nodes.map((_, i) => ({
        x: (i % inRow) * step,
        y: 2 + Math.floor(i / inRow) * (high + wallRowGapPx),
        width: bar,
        height: high,
      })),
      full,
      cell: 0,
      perRow: 0,
      perDot: 0,
    };
  }
}

/** The node that is drawn at a point, by its place in the list. */
export function nodeAt({ boxes, mode }: Layout, x: number, y: number): number | undefined {
  const below = mode === 'tanks' ? labelPx : wallRowGapPx;
  const found = boxes.findIndex(
    (box) => x >= box.x && x < box.x + box.width + wallGapPx && y >= box.y && y < box.y + box.height + below,
  );
  return found < 0 ? undefined : found;
}
