import { shortCount } from '../format.js';
import { stateWord } from '../words.js';
import type { Dot } from './dots.js';
import { type BarNode, type Box, fractionOf, type Layout, type Scale } from './layout.js';

export interface Colours {
  readonly dot: string;
  readonly tank: string;
  readonly fill: string;
  readonly line: string;
  readonly text: string;
  readonly quiet: string;
  readonly warn: string;
  readonly lost: string;
  readonly plan: string;
}

export interface Scene {
  readonly nodes: readonly BarNode[];
  readonly layout: Layout;
  readonly scale: Scale;
  /** How full each bar is drawn just now, 0 to 1. */
  readonly shown: readonly number[];
  readonly level: number | undefined;
  /** The node under the pointer, by its place in the list. */
  readonly pointed: number | undefined;
}

const font = 'system-ui, -apple-system, "Segoe UI", sans-serif';
const isLost = (state: string): boolean => state === 'suspect' || state === 'gone';
const isAside = (state: string): boolean => state === 'cordoned' || state === 'draining';

/** What colours a node's line, fill and word. */
export function toneOf(state: string): 'good' | 'warn' | 'lost' {
  if (isLost(state)) return 'lost';
  return isAside(state) ? 'warn' : 'good';
}

export function paintTanks(context: CanvasRenderingContext2D, scene: Scene, colours: Colours): void {
  const { nodes, layout, scale } = scene;
  nodes.forEach((node, i) => {
    const box = layout.boxes[i];
    if (box === undefined) return;
    const tone = toneOf(node.state);
    const capped = cappedBox(box, node, scale, layout.full);
    context.beginPath();
    context.roundRect(capped.x + 0.5, capped.y + 0.5, capped.width - 1, capped.height - 1, 9);
    context.save();
    context.fillStyle = colours.tank;
    if (tone !== 'lost') context.fill();
    context.clip();
    const high = (scene.shown[i] ?? 0) * box.height;
    context.fillStyle = colours.fill;
    context.fillRect(box.x, box.y + box.height - high, box.width, high);
    context.restore();
    context.strokeStyle = tone === 'good' ? colours.line : colours[tone];
    if (scene.pointed === i) context.strokeStyle = colours.dot;
    context.lineWidth = scene.pointed === i ? 2 : 1;
    context.setLineDash(tone === 'lost' || node.state === 'joining' ? [4, 4] : []);
    context.stroke();
    context.setLineDash([]);
    paintLabel(context, node, box, colours);
  });
}

/** A node with less capacity than the scale shows is a lower tank. */
function cappedBox(box: Box, { capacity }: BarNode, scale: Scale, full: number): Box {
  if (scale === 'capacity' || capacity === undefined || capacity >= full) return box;
  const height = Math.max(12, (capacity / full) * box.height);
  return { ...box, y: box.y + box.height - height, height };
}

function paintLabel(context: CanvasRenderingContext2D, node: BarNode, box: Box, colours: Colours): void {
  const middle = box.x + box.width / 2;
  const isNarrow = box.width < 80;
  const top = box.y + box.height;
  context.textAlign = 'center';
  context.textBaseline = 'alphabetic';
  context.fillStyle = colours.text;
  context.font = `650 ${isNarrow ? 17 : 22}px ${font}`;
  context.fillText(shortCount(node.sessions), middle, top + 26, box.width);
  context.fillStyle = colours.quiet;
  context.font = `${isNarrow ? 12 : 14}px ${font}`;
  context.fillText(endOf(context, node.node, box.width + 4), middle, top + 46);
  const tone = toneOf(node.state);
  context.font = `${isNarrow ? 12 : 13}px ${font}`;
  context.fillStyle = tone === 'good' ? colours.quiet : colours[tone];
  const word = node.state === 'active' ? '' : stateWord(node.state, node.sessions);
  context.fillText(word, middle, top + 65, box.width + 6);
}

/** What does not fit is left out at the start: names differ at the end. */
function endOf(context: CanvasRenderingContext2D, name: string, width: number): string {
  let shown = name;
  while (shown.length > 3 && context.measureText(shown).width > width) shown = `…${shown.slice(2)}`;
  return shown;
}

/** Few colours, one path each: a thousand bars are four fills. */
export function paintWall(context: CanvasRenderingContext2D, scene: Scene, colours: Colours): void {
  const { nodes, layout, shown, pointed } = scene;
  context.fillStyle = colours.tank;
  for (const { x, y, width, height } of layout.boxes) context.fillRect(x, y, width, height);
  const fills = { good: colours.dot, warn: colours.warn, lost: colours.lost };
  for (const tone of ['good', 'warn', 'lost'] as const) {
    context.fillStyle = fills[tone];
    nodes.forEach(({ state }, i) => {
      const box = layout.boxes[i];
      if (box === undefined || toneOf(state) !== tone) return;
      const high = Math.max(tone === 'good' ? 1 : 2, (shown[i] ?? 0) * box.height);
      context.fillRect(box.x, box.y + box.height - high, box.width, high);
      // A node that is lost or empty is to be seen among a thousand.
      if (tone !== 'good') context.fillRect(box.x, box.y, box.width, 2);
    });
  }
  const box = pointed === undefined ? undefined : layout.boxes[pointed];
  if (box === undefined) return;
  context.strokeStyle = colours.text;
  context.lineWidth = 2;
  context.strokeRect(box.x - 1, box.y - 1, box.width + 2, box.height + 2);
}

const heightAt = (sessions: number, node: BarNode, box: Box, { scale, layout }: Scene): number =>
  box.y + box.height - fractionOf(sessions, node, scale, layout.full) * box.height;

/** The line at which all would be level. */
export function paintLevel(context: CanvasRenderingContext2D, scene: Scene, colours: Colours): void {
  const { nodes, layout, scale, level } = scene;
  const [first] = layout.boxes;
  const last = layout.boxes.at(-1);
  const [node] = nodes;
  if (layout.mode === 'wall' || scale === 'capacity' || level === undefined) return;
  if (first === undefined || last === undefined || node === undefined) return;
  const y = Math.round(heightAt(level, node, first, scene)) + 0.5;
  context.strokeStyle = colours.quiet;
  context.lineWidth = 1.5;
  context.setLineDash([4, 4]);
  context.beginPath();
  context.moveTo(Math.max(0, first.x - 10), y);
  context.lineTo(last.x + last.width + 10, y);
  context.stroke();
  context.setLineDash([]);
  if (context.canvas.clientWidth - last.x - last.width < 90) return;
  context.fillStyle = colours.quiet;
  context.font = `13px ${font}`;
  context.textAlign = 'left';
  context.fillText(`level ${shortCount(Math.round(level))}`, last.x + last.width + 16, y + 4);
}

/** Where a proposed plan would bring each. */
export function paintPlan(context: CanvasRenderingContext2D, scene: Scene, colours: Colours): void {
  const { nodes, layout } = scene;
  nodes.forEach((node, i) => {
    const box = layout.boxes[i];
    if (box === undefined || node.after === undefined || node.after === node.sessions) return;
    const y = Math.max(
      box.y + 1.5,
      Math.min(box.y + box.height - 1.5, heightAt(node.after, node, box, scene)),
    );
    const { x, width } = box;
    context.fillStyle = colours.plan;
    if (layout.mode === 'wall') {
      context.fillRect(x, y - 1, width, 2);
      return;
    }
    context.fillRect(x + 2, y - 1.5, width - 4, 3);
    const difference = node.after - node.sessions;
    paintFlag(context, `${difference > 0 ? '+' : '−'}${shortCount(Math.abs(difference))}`, box, y, colours);
  });
}

function paintFlag(
  context: CanvasRenderingContext2D,
  text: string,
  box: Box,
  lineY: number,
  colours: Colours,
): void {
  context.font = `700 12px ${font}`;
  const width = context.measureText(text).width + 12;
  const x = box.x + (box.width - width) / 2;
  const y = Math.min(Math.max(lineY - 9, box.y + 3), box.y + box.height - 21);
  context.beginPath();
  context.roundRect(x, y, width, 18, 6);
  context.fill();
  context.fillStyle = colours.tank;
  context.textAlign = 'center';
  context.fillText(text, x + width / 2, y + 13);
}

export function paintDots(
  context: CanvasRenderingContext2D,
  dots: readonly Dot[],
  radius: number,
  colours: Colours,
): void {
  context.fillStyle = colours.dot;
  context.beginPath();
  for (const { x, y } of dots) {
    if (x === undefined) continue;
    context.moveTo(x + radius, y);
    context.arc(x, y, radius, 0, 2 * Math.PI);
  }
  context.fill();
}
