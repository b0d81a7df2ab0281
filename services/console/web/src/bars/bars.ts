import { Dots, send, step } from './dots.js';
import {
  type BarNode,
  fractionOf,
  fullOf,
  type Layout,
  layOut,
  levelOf,
  nodeAt,
  type Scale,
} from './layout.js';
import {
  type Colours,
  paintDots,
  paintLevel,
  paintPlan,
  paintTanks,
  paintWall,
  type Scene,
} from './paint.js';

/** How fast a bar follows its number: two thirds of the way in this time. */
const easeMs = 170;

export interface BarsEvents {
  readonly onPick: (node: string) => void;
  readonly onPoint: (node: string | undefined) => void;
}

/**
 * Nodes as bars that fill and level out, and sessions as dots that move between them, on a canvas. It draws what it is given and
 * asks for nothing; what it shows stands as a table beside it.
 */
export class Bars {
  readonly #canvas: HTMLCanvasElement;
  readonly #events: BarsEvents;
  readonly #dots = new Dots();
  readonly #stillness = matchMedia('(prefers-reduced-motion: reduce)');
  readonly #resize = new ResizeObserver(() => this.#layOut());
  #nodes: readonly BarNode[] = [];
  #scale: Scale = 'fit';
  #layout: Layout | undefined;
  #shown = new Map<string, number>();
  #full = 0;
  #colours: Colours | undefined;
  #pointed: number | undefined;
  #frame = 0;
  #lastMs = 0;

  constructor(canvas: HTMLCanvasElement, events: BarsEvents) {
    this.#canvas = canvas;
    this.#events = events;
    if (canvas.parentElement !== null) this.#resize.observe(canvas.parentElement);
    canvas.addEventListener('pointermove', this.#move);
    canvas.addEventListener('pointerleave', this.#leave);
    canvas.addEventListener('click', this.#click);
  }

  show(nodes: readonly BarNode[], scale: Scale): void {
    this.#nodes = nodes;
    this.#scale = scale;
    this.#layOut();
  }

  /** The page has changed from light to dark, or back. */
  recolour(): void {
    this.#colours = undefined;
    this.#animate();
  }

  close(): void {
    this.#resize.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#canvas.removeEventListener('pointermove', this.#move);
    this.#canvas.removeEventListener('pointerleave', this.#leave);
    this.#canvas.removeEventListener('click', this.#click);
  }

  readonly #move = ({ offsetX, offsetY }: PointerEvent): void => {
    this.#point(this.#layout === undefined ? undefined : nodeAt(this.#layout, offsetX, offsetY));
  };
  readonly #leave = (): void => this.#point(undefined);
  readonly #click = ({ offsetX, offsetY }: MouseEvent): void => {
    const place = this.#layout === undefined ? undefined : nodeAt(this.#layout, offsetX, offsetY);
    const node = place === undefined ? undefined : this.#nodes[place];
    if (node !== undefined) this.#events.onPick(node.node);
  };

  #point(place: number | undefined): void {
    if (place === this.#pointed) return;
    this.#pointed = place;
    this.#canvas.classList.toggle('points', place !== undefined);
    this.#events.onPoint(place === undefined ? undefined : this.#nodes[place]?.node);
    this.#animate();
  }

  #layOut(): void {
    const width = this.#canvas.parentElement?.clientWidth ?? 0;
    if (width === 0) return;
    this.#full = fullOf(this.#nodes, this.#full);
    const before = this.#layout;
    const layout = layOut(this.#nodes, width, this.#full);
    this.#layout = layout;
    const isNew = before === undefined || before.mode !== layout.mode || before.perDot !== layout.perDot;
    if (isNew) this.#dots.clear();
    const names = new Set(this.#nodes.map(({ node }) => node));
    for (const name of this.#shown.keys()) if (!names.has(name)) this.#shown.delete(name);
    if (layout.mode === 'tanks') this.#aim(layout, isNew);
    this.#size(width, layout.height);
    if (isNew) this.#shown.clear();
    this.#animate();
  }

  #aim(layout: Layout, isNew: boolean): void {
    const dots = (sessions: number): number => Math.ceil(sessions / layout.perDot);
    this.#dots.place(new Map(this.#nodes.map(({ node, sessions }) => [node, dots(sessions)])));
    const flight = {
      now: performance.now(),
      random: Math.random,
      isStill: isNew || this.#stillness.matches,
    };
    const { cell, perRow } = layout;
    this.#nodes.forEach((node, i) => {
      const box = layout.boxes[i];
      if (box === undefined) return;
      const left = box.x + (box.width - perRow * cell) / 2;
      // Against capacity the fill says it; dots beyond the tank would tell nothing.
      const room = this.#scale === 'capacity' ? 0 : Math.floor((box.height - 4) / cell) * perRow;
      this.#dots.of(node.node).forEach((dot, slot) => {
        const x = left + ((slot % perRow) + 0.5) * cell;
        const y = box.y + box.height - 2 - (Math.floor(slot / perRow) + 0.5) * cell;
        send(dot, x, slot < room ? y : -cell, flight);
      });
    });
  }

  #size(width: number, height: number): void {
    const ratio = devicePixelRatio || 1;
    const canvas = this.#canvas;
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width === wide && canvas.height === high) return;
    Object.assign(canvas, { width: wide, height: high });
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }

  #animate(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame((now) => this.#draw(now));
  }

  #draw(now: number): void {
    this.#frame = 0;
    const context = this.#canvas.getContext('2d');
    const layout = this.#layout;
    if (context === null || layout === undefined) return;
    const isMoving = this.#ease(now, layout);
    const ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#colours ??= coloursOf(this.#canvas);
    const colours = this.#colours;
    const scene: Scene = {
      nodes: this.#nodes,
      layout,
      scale: this.#scale,
      shown: this.#nodes.map(({ node }) => this.#shown.get(node) ?? 0),
      level: levelOf(this.#nodes),
      pointed: this.#pointed,
    };
    let isFlying = false;
    if (layout.mode === 'wall') paintWall(context, scene, colours);
    else {
      const dots = this.#dots.all;
      for (const dot of dots) if (step(dot, now, layout.cell / 2)) isFlying = true;
      paintTanks(context, scene, colours);
      if (this.#scale === 'fit') paintDots(context, dots, layout.cell * 0.37, colours);
    }
    paintLevel(context, scene, colours);
    paintPlan(context, scene, colours);
    if (isMoving || isFlying) this.#animate();
    else this.#lastMs = 0;
  }

  /** Brings each bar nearer to its number; whether one is still on its way. */
  #ease(now: number, layout: Layout): boolean {
    const passedMs = this.#lastMs === 0 ? 16 : Math.min(100, now - this.#lastMs);
    this.#lastMs = now;
    const part = this.#stillness.matches ? 1 : 1 - Math.exp(-passedMs / easeMs);
    let isMoving = false;
    for (const node of this.#nodes) {
      const target = fractionOf(node.sessions, node, this.#scale, layout.full);
      const before = this.#shown.get(node.node) ?? target;
      const isThere = Math.abs(target - before) < 0.002;
      this.#shown.set(node.node, isThere ? target : before + (target - before) * part);
      if (!isThere && part < 1) isMoving = true;
    }
    return isMoving;
  }
}

/** Custom properties that are registered as colours, so that what they resolve to is a colour. */
function coloursOf(element: HTMLElement): Colours {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(`--bar-${name}`);
  return {
    dot: colour('dot'),
    tank: colour('tank'),
    fill: colour('fill'),
    line: colour('line'),
    text: colour('text'),
    quiet: colour('quiet'),
    warn: colour('warn'),
    lost: colour('lost'),
    plan: colour('plan'),
  };
}
