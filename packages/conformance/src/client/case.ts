import { type ClientFrame, clientFrame, type WelcomeFrame } from '@evenkeel/protocol';
import { type Lookup, type ScriptedConnection, type ScriptedEdge, ScriptedMesh } from '@evenkeel/testkit';
import { must, pause, Violation } from '../verdict.js';
import { ClientProcess, type Line } from './process.js';

/** How long a client may take for what it is to do at once; one that backs off takes its time. */
const patienceMs = 10_000;
/** The same for what has come and has to be handed on only. */
const handingOnMs = 5_000;
/** What is read from two pipes comes in no order: so much later the other has said what it had to say. */
export const settleMs = 150;

/** Of a list of ids what is around one of them. */
function shown(ids: readonly unknown[], at: number): string {
  const from = Math.max(0, at - 4);
  const some = ids.slice(from, at + 4).map(String);
  return `[${from > 0 ? '… ' : ''}${some.join(' ')}${ids.length > at + 4 ? ' …' : ''}]`;
}

/** What one rule works with: a gateway and three edges of its own, and the client, started for it alone. */
export class ClientCase {
  readonly mesh: ScriptedMesh;
  readonly a: ScriptedEdge;
  readonly b: ScriptedEdge;
  readonly c: ScriptedEdge;
  readonly user = 'alice';
  readonly #command: string;
  readonly #faults: string[] = [];
  readonly #accepted = new Set<ScriptedConnection>();
  readonly #tickets = new Set<string>();
  readonly #ackedAt = new Map<ScriptedConnection, { seq: number; atMs: number }[]>();
  #client: ClientProcess | undefined;

  private constructor(
    mesh: ScriptedMesh,
    [a, b, c]: [ScriptedEdge, ScriptedEdge, ScriptedEdge],
    command: string,
  ) {
    this.mesh = mesh;
    this.a = a;
    this.b = b;
    this.c = c;
    this.#command = command;
    for (const edge of [a, b, c]) {
      edge.defaults.welcome = false;
      edge.onConnection = (connection) => this.#opened(connection);
      edge.onFrame = (connection, frame) => this.#received(connection, frame);
    }
  }

  static async open(command: string): Promise<ClientCase> {
    const mesh = await ScriptedMesh.start();
    const [a, b, c] = [await mesh.edge('edge-a'), await mesh.edge('edge-b'), await mesh.edge('edge-c')];
    return new ClientCase(mesh, [a, b, c], command);
  }

  async end(): Promise<void> {
    this.#client?.kill();
    this.mesh.close();
  }

  /** @throws Violation for what no rule asks about in particular: frames that an edge closes for, tickets used twice. */
  judge(): void {
    const [fault] = this.#faults;
    if (fault !== undefined) throw new Violation(fault);
  }

  // --- the client ---

  /** Starts it. */
  launch(topics: readonly string[] = []): void {
    this.#client = new ClientProcess(this.#command, {
      EVENKEEL_GATEWAY: this.mesh.gateway,
      EVENKEEL_USER: this.user,
      EVENKEEL_TOPICS: topics.join(','),
      EVENKEEL_TOKENS: this.mesh.signed === undefined ? '' : 'token-1,token-2,token-3',
    });
  }

  get lines(): readonly Line[] {
    return this.#client?.lines ?? [];
  }
  all(kind: string): Line[] {
    return this.lines.filter((line) => line.kind === kind);
  }
  /** Ids of the events that were handed on, in order. */
  get events(): unknown[] {
    return this.all('event').map(({ id }) => id);
  }
  /** Ids of the messages of a topic that were handed on, in order. */
  messages(topic: string): unknown[] {
    return this.all('message').flatMap((line) => (line.topic === topic ? [line.id] : []));
  }
  /** It has said that it has given up, or has ended. */
  get hasClosed(): boolean {
    return this.all('closed').length > 0 || this.#client?.ended !== undefined;
  }
  /** What it was told in answer to a call, in the order of answers. */
  answers(call: string): Line[] {
    return this.all('answer').filter((line) => line.call === call);
  }

  // --- waiting ---

  /** Waits until the client has done it. @throws Violation `The client has not …`. */
  async until<T>(done: string, probe: () => T | undefined | false, ms = patienceMs): Promise<T> {
    const untilMs = performance.now() + ms;
    for (;;) {
      const value = probe();
      if (value !== undefined && value !== false) return value;
      const why = this.#whyNever();
      if (why !== undefined) throw new Violation(`The client has not ${done}: ${why}.`);
      if (performance.now() > untilMs)
        throw new Violation(`The client has not ${done} within ${ms / 1000} s.`);
      await pause(5);
    }
  }

  /** Watches for `ms`. @throws Violation with `what` as soon as it has happened. */
  async never(what: string, probe: () => unknown, ms: number): Promise<void> {
    const untilMs = performance.now() + ms;
    while (performance.now() < untilMs) {
      must(!probe(), what);
      await pause(5);
    }
    must(!probe(), what);
  }

  // --- its sockets ---

  /** The next socket at `edge` once its hello has come; nothing is answered yet. */
  async hello(edge: ScriptedEdge, ms?: number): Promise<ScriptedConnection> {
    const connection = await this.until(
      `opened a socket to ${edge.node}`,
      () => edge.connections.find((each) => !this.#accepted.has(each)),
      ms,
    );
    this.#accepted.add(connection);
    await this.until('sent hello on its new socket', () => connection.frames.length > 0);
    return connection;
  }

  /** The next socket at `edge`, with `welcome`. */
  async attach(edge: ScriptedEdge, welcome: Partial<WelcomeFrame> = {}): Promise<ScriptedConnection> {
    const connection = await this.hello(edge);
    connection.welcome({ resumed: this.#accepted.size > 1, ...welcome });
    return connection;
  }

  /** Starts the client and welcomes it at the first edge. */
  async connect(
    topics: readonly string[] = [],
    welcome: Partial<WelcomeFrame> = {},
  ): Promise<ScriptedConnection> {
    this.launch(topics);
    return this.attach(this.a, welcome);
  }

  /** The next question to the gateway behind the first `known`. */
  lookup(known: number, ms?: number): Promise<Lookup> {
    return this.until('come back to the gateway', () => this.mesh.lookups[known], ms);
  }

  /** All sockets there are or were. */
  get sockets(): ScriptedConnection[] {
    return [this.a, this.b, this.c].flatMap(({ connections }) => connections);
  }

  /** What was acknowledged on `connection`, and when. */
  acks(connection: ScriptedConnection): readonly { seq: number; atMs: number }[] {
    return this.#ackedAt.get(connection) ?? [];
  }

  // --- what a rule often waits for ---

  /** These events have been handed on, in this order, and nothing else. */
  async handedOn(wanted: readonly string[], why: string): Promise<void> {
    await this.#exactly('events', () => this.events, wanted, why);
  }

  async messagesHandedOn(topic: string, wanted: readonly string[], why: string): Promise<void> {
    await this.#exactly(`messages of ${topic}`, () => this.messages(topic), wanted, why);
  }

  async acked(connection: ScriptedConnection, seq: number, ms?: number): Promise<void> {
    await this.until(
      `acknowledged event ${seq} at ${connection.edge.node}`,
      () => connection.acked >= seq,
      ms,
    );
  }

  async #exactly(what: string, seen: () => unknown[], wanted: readonly string[], why: string): Promise<void> {
    const isWhole = () => seen().length >= wanted.length;
    const untilMs = performance.now() + handingOnMs;
    while (!isWhole() && performance.now() < untilMs && this.#whyNever() === undefined) await pause(5);
    // One too many comes a moment later.
    await pause(settleMs);
    const list = seen();
    const at = Array.from({ length: Math.max(list.length, wanted.length) }, (_, n) => n).find(
      (n) => list[n] !== wanted[n],
    );
    if (at === undefined) return;
    const [got, due] = [list, wanted].map((ids) => shown(ids, at));
    throw new Violation(`${why}: of the ${what} the client has handed on ${got}, where ${due} was due.`);
  }

  /** Nothing more can come of this client. */
  #whyNever(): string | undefined {
    const client = this.#client;
    if (!client) return undefined;
    if (client.badLine !== undefined)
      return `its driver printed what is no JSON object with a kind, "${client.badLine}"`;
    if (client.ended === undefined) return undefined;
    return `it ended with ${client.ended}${client.errors && `, saying "${client.errors}"`}`;
  }

  #opened(connection: ScriptedConnection): void {
    const { ticket, socket, edge } = connection;
    if (this.#tickets.has(ticket)) this.#fault(`The client showed a ticket twice, at ${edge.node}.`);
    this.#tickets.add(ticket);
    if (socket.protocol !== 'evenkeel.v1')
      this.#fault('The client did not offer the subprotocol evenkeel.v1.');
    socket.on('message', () => {
      const [unreadable] = connection.unreadable;
      if (unreadable !== undefined)
        this.#fault(`The client sent what is no frame of JSON text: ${unreadable.slice(0, 80)}.`);
    });
  }

  #received(connection: ScriptedConnection, frame: ClientFrame): void {
    const text = JSON.stringify(frame).slice(0, 120);
    const isFirst = connection.frames.length === 1;
    if (isFirst !== (frame.t === 'hello'))
      this.#fault(
        `The client's first frame, and no other, must be hello; frame ${connection.frames.length} was ${text}.`,
      );
    const parsed = clientFrame.safeParse(frame);
    if (!parsed.success) this.#fault(`The client sent a frame that an edge closes with 4500: ${text}.`);
    if (frame.t !== 'ack') return;
    if (frame.seq > connection.seq)
      this.#fault(
        `The client acknowledged event ${frame.seq} on a connection that had brought ${connection.seq}.`,
      );
    const list = this.#ackedAt.get(connection) ?? [];
    this.#ackedAt.set(connection, list);
    list.push({ seq: frame.seq, atMs: performance.now() });
  }

  #fault(what: string): void {
    this.#faults.push(what);
  }
}
