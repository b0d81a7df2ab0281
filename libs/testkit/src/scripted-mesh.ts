/**
 * Edges and a gateway that do what a test says, frame by frame: the other side for client SDKs. What is not said
 * happens by default: `hello` is answered by `welcome`, `ping` by `pong`, subscriptions and publishes by `ok`.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type {
  ClientFrame,
  EdgeFrame,
  EventFrame,
  MessageFrame,
  MoveFrame,
  WelcomeFrame,
} from '@evenkeel/protocol/wire';
import { type WebSocket, WebSocketServer } from 'ws';
import { eventually } from './eventually.js';

/** What the scripted parts do unasked. */
export interface Defaults {
  welcome: boolean;
  answer: boolean;
  pong: boolean;
}
type FrameOf<T extends ClientFrame['t'], F = ClientFrame> = F extends { t: infer K }
  ? T extends K
    ? F
    : never
  : never;

/** One socket that a client has opened. */
export class ScriptedConnection {
  /** Everything received, in order. */
  readonly frames: ClientFrame[] = [];
  /** What came and is no frame: binary, or not an object in JSON. */
  readonly unreadable: string[] = [];
  /** Close code, once the socket has closed. */
  closedWith: number | undefined;
  /** `seq` of the last event sent. */
  seq = 0;
  /** What `welcome` calls it. */
  readonly name: string;
  readonly edge: ScriptedEdge;
  readonly ticket: string;
  readonly socket: WebSocket;
  private readonly taken = new Set<ClientFrame>();

  constructor(edge: ScriptedEdge, socket: WebSocket, ticket: string) {
    this.edge = edge;
    this.socket = socket;
    this.ticket = ticket;
    this.name = `${edge.node}.${ticket}`;
    socket.on('close', (code) => {
      this.closedWith = code;
    });
    socket.on('message', (text, isBinary) => {
      const frame = isBinary ? undefined : readFrame(String(text));
      if (frame === undefined) {
        this.unreadable.push(isBinary ? 'a binary message' : String(text));
        return;
      }
      this.frames.push(frame);
      edge.onFrame?.(this, frame);
      const { welcome, answer, pong } = edge.defaults;
      if (frame.t === 'hello' && welcome) this.welcome();
      else if (frame.t === 'ping' && pong) this.send({ t: 'pong' });
      else if (answer && (frame.t === 'publish' || frame.t === 'subscribe' || frame.t === 'unsubscribe')) {
        this.send({ t: 'ok', re: frame.id });
      }
    });
  }

  send(frame: EdgeFrame): void {
    this.socket.send(JSON.stringify(frame));
  }
  welcome(fields: Partial<WelcomeFrame> = {}): void {
    const session = this.edge.mesh.session;
    const defaults = { resumed: false, heartbeatMs: 15_000, window: 64, connection: this.name };
    this.send({ t: 'welcome', session, node: this.edge.node, ...defaults, ...fields });
  }
  /** The next event; `data` is its id unless given. */
  event(id: string, fields: Partial<EventFrame> = {}): void {
    this.send({ t: 'event', seq: ++this.seq, id, name: 'test', data: id, at: 1, ...fields });
  }
  message(topic: string, id: string, fields: Partial<MessageFrame> = {}): void {
    this.send({ t: 'message', topic, id, data: id, at: 1, ...fields });
  }
  /** Asks the client to move to `target`. */
  move(target: ScriptedEdge, fields: Partial<MoveFrame> = {}): void {
    const ticket = this.edge.mesh.nextTicket();
    const rest = { move: `move-${ticket}`, reason: 'test', deadlineMs: 5_000, jitterMs: 0 };
    this.send({ t: 'move', node: target.node, url: target.url, ticket, ...rest, ...fields });
  }
  /** The last frame: `received` counts as an edge does unless given. */
  moved(received = this.received, mark?: string): void {
    this.send({ t: 'moved', seq: this.seq, received, ...(mark !== undefined && { mark }) });
  }
  mark(mark: string): void {
    this.send({ t: 'mark', mark });
  }
  /** How many frames that an edge counts have come. */
  get received(): number {
    return this.frames.filter(({ t }) => counted.has(t)).length;
  }
  /** The highest `seq` acknowledged. */
  get acked(): number {
    return this.frames.reduce((max, f) => (f.t === 'ack' ? Math.max(max, f.seq) : max), 0);
  }
  all<T extends ClientFrame['t']>(kind: T): FrameOf<T>[] {
    return this.frames.filter((f): f is ClientFrame & FrameOf<T> => f.t === kind);
  }
  /** The next frame of this kind that was not taken before. */
  async take<T extends ClientFrame['t']>(kind: T): Promise<FrameOf<T>> {
    const frame = await eventually(`${kind} at ${this.edge.node}`, () =>
      this.all(kind).find((f) => !this.taken.has(f)),
    );
    this.taken.add(frame);
    return frame;
  }
  /** Resolves with the code when the client has closed. */
  async closed(): Promise<number> {
    await eventually(`close at ${this.edge.node}`, () => this.closedWith !== undefined);
    return this.closedWith ?? 0;
  }
  close(code: number, reason = ''): void {
    this.socket.close(code, reason);
  }
  /** As a crash does. */
  terminate(): void {
    this.socket.terminate();
  }
  /** Nothing is read or answered any more; the socket stays open. */
  freeze(): void {
    this.socket.pause();
    this.edge.defaults = { welcome: false, answer: false, pong: false };
  }
}

function readFrame(text: string): ClientFrame | undefined {
  try {
    const frame: unknown = JSON.parse(text);
    return typeof frame === 'object' && frame !== null ? (frame as ClientFrame) : undefined;
  } catch {
    return undefined;
  }
}

/** Kinds of frames that `moved` counts. */
const counted: ReadonlySet<string> = new Set(['subscribe', 'unsubscribe', 'publish', 'request']);

/** One edge. */
export class ScriptedEdge {
  defaults: Defaults = { welcome: true, answer: true, pong: true };
  /** Refuse upgrades with this status. */
  refuseWith: number | undefined;
  /** How many upgrades were refused. */
  refused = 0;
  onFrame: ((connection: ScriptedConnection, frame: ClientFrame) => void) | undefined;
  onConnection: ((connection: ScriptedConnection) => void) | undefined;
  readonly connections: ScriptedConnection[] = [];
  readonly mesh: ScriptedMesh;
  readonly node: string;
  readonly server: WebSocketServer;
  private given = 0;

  constructor(mesh: ScriptedMesh, node: string) {
    this.mesh = mesh;
    this.node = node;
    this.server = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      verifyClient: (_, decide) => {
        if (this.refuseWith !== undefined) this.refused++;
        decide(this.refuseWith === undefined, this.refuseWith);
      },
    });
    this.server.on('connection', (socket, request: IncomingMessage) => {
      const { searchParams } = new URL(request.url ?? '', 'http://edge');
      const connection = new ScriptedConnection(this, socket, searchParams.get('ticket') ?? '');
      this.connections.push(connection);
      this.onConnection?.(connection);
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}/ws`;
  }
  /** The next socket opened here, counted from the first. */
  async next(): Promise<ScriptedConnection> {
    const connection = await eventually(`socket at ${this.node}`, () => this.connections[this.given]);
    this.given++;
    return connection;
  }
  close(): void {
    for (const { socket } of this.connections) socket.terminate();
    this.server.close();
  }
}

/** What the gateway is to answer. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** Written as JSON. */
  body?: unknown;
  /** In place of `body`: written as it is. */
  text?: string;
}

/** A question to the gateway. */
export interface Lookup {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  readonly at: number;
}

/** A gateway and any number of edges. */
export class ScriptedMesh {
  readonly session = 'session-1';
  /** Look-ups, in order. */
  readonly lookups: Lookup[] = [];
  /** Where clients are sent. */
  target: ScriptedEdge | undefined;
  /** What the gateway signs for who asks: goes with each placement. */
  signed: { pass: string; resume: string } | undefined;
  /** Overrides the answer. */
  answer: (() => Answer | undefined) | undefined;
  private tickets = 0;
  private readonly edges: ScriptedEdge[] = [];
  private readonly http: Server;

  private constructor() {
    this.http = createServer((request, response) => {
      const { searchParams, pathname } = new URL(request.url ?? '', 'http://gateway');
      this.lookups.push({
        path: pathname,
        query: searchParams,
        authorization: request.headers.authorization,
        at: Date.now(),
      });
      const { status, headers, body, text } = this.answer?.() ?? this.place(searchParams.get('session'));
      const shared = { 'content-type': 'application/json', 'access-control-allow-origin': '*' };
      response.writeHead(status, { ...shared, ...headers });
      response.end(text ?? JSON.stringify(body));
    });
  }

  static async start(): Promise<ScriptedMesh> {
    const mesh = new ScriptedMesh();
    await new Promise<void>((resolve) => mesh.http.listen(0, '127.0.0.1', resolve));
    return mesh;
  }

  get gateway(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }
  /** A new edge; the first is where clients are sent. */
  async edge(node: string): Promise<ScriptedEdge> {
    const edge = new ScriptedEdge(this, node);
    this.edges.push(edge);
    this.target ??= edge;
    await eventually('an edge that listens', () => edge.server.address() !== null);
    return edge;
  }
  nextTicket(): string {
    this.tickets++;
    return this.lastTicket;
  }
  /** The one that was issued last. */
  get lastTicket(): string {
    return `ticket-${this.tickets}`;
  }
  close(): void {
    for (const edge of this.edges) edge.close();
    this.http.closeAllConnections();
    this.http.close();
  }

  private place(session: string | null): Answer {
    const { target } = this;
    if (!target) return { status: 503, body: { error: { code: 'no-edge', message: 'no edge' } } };
    const { node, url } = target;
    const rest = { ticket: this.nextTicket(), expiresInMs: 30_000, session: session ?? this.session };
    return { status: 200, body: { url, node, ...rest, ...this.signed } };
  }
}
