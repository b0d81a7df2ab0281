import { Failure } from '../failure.js';
import type { Edge, Mesh } from '../mesh.js';

/** Edges that may be added up to this many in all: each is a process of some 80 MB. */
const maxEdges = 16;
/** How long a killed edge stays dead: long enough to be seen. */
export const deadForMs = 5_000;

export interface LocalEdgesEvents {
  /** An edge has come, gone, or has another process id. */
  readonly onChange: () => void;
  /** A killed edge did not start again. */
  readonly onStartFailed: (edge: Edge, error: unknown) => void;
}

/** A request that cannot be met as things are; `status` is HTTP's. */
export class ControlError extends Failure {
  readonly status: number;

  constructor(status: number, code: string, message: string) {
    super(code, message);
    this.status = status;
  }
}

/** Adds, stops and kills the edges of a mesh that runs, one request an edge at a time. */
export class LocalEdges {
  readonly #mesh: Mesh;
  readonly #events: LocalEdgesEvents;
  readonly #busy = new Set<Edge>();
  readonly #restarts = new Set<NodeJS.Timeout>();
  #adding = 0;

  constructor(mesh: Mesh, events: LocalEdgesEvents) {
    this.#mesh = mesh;
    this.#events = events;
  }

  /** Starts one more edge; resolves when it is ready. @throws ControlError `too-many-edges` */
  async add(): Promise<Edge> {
    if (this.#mesh.edges.length + this.#adding >= maxEdges) {
      throw new ControlError(
        409,
        'too-many-edges',
        `There are ${maxEdges} edges, the most that are started on request; stop one first.`,
      );
    }
    this.#adding++;
    try {
      const edge = await this.#mesh.addEdge();
      this.#events.onChange();
      return edge;
    } finally {
      this.#adding--;
    }
  }

  /**
   * Stops an edge in order: its clients move away first. Resolves when it has ended, for good. Default: the newest.
   * @throws ControlError `unknown-node`, `last-edge`, `busy`
   */
  async stop(node?: string): Promise<Edge> {
    const edge = this.#find(node);
    if (this.#mesh.edges.length - this.#stopping() <= 1) {
      throw new ControlError(409, 'last-edge', `${edge.node} is the only edge; add another one first.`);
    }
    await this.#alone(edge, () => this.#mesh.removeEdge(edge));
    this.#events.onChange();
    return edge;
  }

  /**
   * Kills an edge as a crash would (SIGKILL), and starts it again {@link deadForMs} later. Default: the newest.
   * @throws ControlError `unknown-node`, `busy`
   */
  async kill(node?: string): Promise<Edge> {
    const edge = this.#find(node);
    await this.#alone(edge, () => edge.kill());
    this.#events.onChange();
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      void this.#startAgain(edge);
    }, deadForMs);
    this.#restarts.add(timer);
    return edge;
  }

  /** What was killed stays dead from now on. */
  close(): void {
    for (const timer of this.#restarts) clearTimeout(timer);
  }

  async #startAgain(edge: Edge): Promise<void> {
    try {
      await edge.start();
      this.#events.onChange();
    } catch (error) {
      await edge.kill();
      this.#events.onStartFailed(edge, error);
    }
  }

  #find(node: string | undefined): Edge {
    const { edges } = this.#mesh;
    const edge = node === undefined ? edges.at(-1) : edges.find((each) => each.node === node);
    if (edge !== undefined) return edge;
    const names = edges.map((each) => each.node).join(', ');
    throw new ControlError(404, 'unknown-node', `No edge ${node ?? ''} runs here; there are ${names}.`);
  }

  #stopping(): number {
    return this.#mesh.edges.filter((edge) => edge.phase === 'stopping').length;
  }

  async #alone(edge: Edge, act: () => Promise<void>): Promise<void> {
    if (this.#busy.has(edge) || edge.phase !== 'running') {
      const phase = edge.phase === 'ended' ? 'dead and about to be started again' : edge.phase;
      throw new ControlError(409, 'busy', `${edge.node} is ${phase}; try again when it runs.`);
    }
    this.#busy.add(edge);
    try {
      await act();
    } finally {
      this.#busy.delete(edge);
    }
  }
}
