import { randomUUID } from 'node:crypto';
import {
  type CommandOf,
  edgeCommand,
  edgeKey,
  exchanges,
  type MoveProgress,
  movesKey,
  type NodeState,
  type NodeStats,
  replyKey,
  statsKey,
} from '@evenkeel/protocol';
import { statsOf } from './node-stats.js';

/** What a fake edge needs of a broker: whoever uses it has one. */
export interface FakeEdgeBroker {
  publish(exchange: string, key: string, body: string): Promise<unknown>;
  /** Consumes an exclusive queue that is bound to `exchange` with each key; answers how to end it and its queue. */
  consume(
    queue: string,
    exchange: string,
    keys: readonly string[],
    onBody: (body: Buffer) => void,
  ): Promise<() => Promise<void>>;
}

/** Sessions and who has moved where, shared by the fake edges of one test. */
export class FakeMesh {
  readonly edges = new Map<string, FakeEdge>();
  /** Per session: how often it was moved. */
  readonly moves = new Map<string, number>();
}

export interface FakeEdgeOptions {
  node: string;
  sessions?: number;
  version?: string;
  /** Takes this long to move one session. */
  moveMs?: number;
  /** How often statistics go out. */
  everyMs?: number;
}

/** An edge without sockets: publishes statistics and obeys `reconnect` as a real one does, with move reports. */
export class FakeEdge {
  readonly node: string;
  readonly boot = randomUUID();
  readonly url: string;
  readonly version: string;
  readonly sessions = new Set<string>();
  /** Every reconnect command received, repeats included. */
  readonly commands: CommandOf<'reconnect'>[] = [];
  state: NodeState = 'active';
  stats: Partial<NodeStats> = {};
  /** Of every this many moves one fails; 0: none. */
  failEvery = 0;
  /** Sessions that a front brings back whenever they are sent elsewhere. */
  readonly stuck = new Set<string>();
  readonly #mesh: FakeMesh;
  readonly #broker: FakeEdgeBroker;
  readonly #moveMs: number;
  readonly #everyMs: number;
  readonly #moves = new Map<string, { progress: MoveProgress; isCancelled: boolean }>();
  readonly #picked = new Set<string>();
  /** Of the stuck ones, those found out. */
  readonly #pinned = new Set<string>();
  #seq = 0;
  #count = 0;
  #isDirty = false;
  #timers: NodeJS.Timeout[] = [];
  #isStopped = false;
  #cancel: () => Promise<void> = async () => {};

  constructor(mesh: FakeMesh, broker: FakeEdgeBroker, options: FakeEdgeOptions) {
    this.node = options.node;
    this.url = `ws://${options.node}.test/ws`;
    this.version = options.version ?? '1.0.0';
    this.#mesh = mesh;
    this.#broker = broker;
    this.#moveMs = options.moveMs ?? 5;
    this.#everyMs = options.everyMs ?? 250;
    for (let i = 0; i < (options.sessions ?? 0); i++)
      this.sessions.add(`${options.node}-${randomUUID().slice(0, 8)}-${i}`);
  }

  async start(): Promise<this> {
    const queue = `control.${this.node}.${this.boot}`;
    this.#cancel = await this.#broker.consume(
      queue,
      exchanges.control,
      [edgeKey(this.node), 'all'],
      (body) => {
        const command = edgeCommand.parse(JSON.parse(body.toString()));
        if (command.command === 'reconnect') void this.#reconnect(command);
        else if (command.command === 'cancel') this.#cancelMove(command.move);
        else if (command.command === 'cordon') this.#cordon();
        else if (command.command === 'uncordon') this.setState('active');
        else if (command.command === 'set') this.#set(command);
        else if (command.command === 'where' || command.command === 'disconnect') this.#answer(command);
      },
    );
    this.#mesh.edges.set(this.node, this);
    this.publishStats();
    this.#timers = [
      setInterval(() => this.publishStats(), this.#everyMs),
      setInterval(() => this.#publishMoves(), 100),
    ];
    return this;
  }

  setState(state: NodeState): void {
    this.state = state;
    this.publishStats();
  }

  #cordon(): void {
    // It may be another front by now.
    this.#pinned.clear();
    this.setState('cordoned');
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    if (this.#mesh.edges.get(this.node) === this) this.#mesh.edges.delete(this.node);
    await this.#cancel();
  }

  publishStats(): void {
    if (this.#isStopped) return;
    this.#seq += 1;
    const stats = statsOf(this.node, {
      url: this.url,
      boot: this.boot,
      seq: this.#seq,
      state: this.state,
      version: this.version,
      connections: this.sessions.size,
      sessions: this.sessions.size,
      ...(this.#pinned.size === 0 ? {} : { pinned: this.#pinned.size }),
      handshakeP99Ms: 10,
      loopLagP99Ms: 1,
      loopUtilization: 0.1,
      cpu: 0.1,
      moves: { pending: this.#pending(), done: 0, failed: 0 },
      live: {},
      ...this.stats,
    });
    void this.#broker.publish(exchanges.stats, statsKey(this.node), JSON.stringify(stats)).catch(() => {});
  }

  #pending(): number {
    let pending = 0;
    for (const { progress: p } of this.#moves.values())
      if (!p.isFinal) pending += p.asked - p.done - p.failed;
    return pending;
  }

  async #reconnect(command: CommandOf<'reconnect'>): Promise<void> {
    this.commands.push(command);
    this.#isDirty = true;
    if (this.#moves.has(command.move)) return;
    // Picked is picked: not for the next command.
    const isClosing = command.pinned === 'close';
    const free = [...this.sessions].filter((s) => !this.#picked.has(s) && this.#pinned.has(s) === isClosing);
    const picked = free.slice(0, command.sessions?.length ?? command.count ?? free.length);
    for (const session of picked) this.#picked.add(session);
    const progress: MoveProgress = {
      move: command.move,
      to: command.to.node,
      asked: picked.length,
      sent: 0,
      done: 0,
      failed: 0,
      timedOut: 0,
      refused: 0,
      isFinal: picked.length === 0,
    };
    const move = { progress, isCancelled: false };
    this.#moves.set(command.move, move);
    for (const session of picked) {
      await new Promise((resolve) => setTimeout(resolve, this.#moveMs));
      if (this.#isStopped) return;
      if (move.isCancelled) break;
      progress.sent += 1;
      this.#isDirty = true;
      if (isClosing) {
        this.sessions.delete(session);
        this.#pinned.delete(session);
        progress.done += 1;
        continue;
      }
      if (this.stuck.has(session)) {
        this.#pinned.add(session);
        progress.failed += 1;
        progress.pinned = (progress.pinned ?? 0) + 1;
        continue;
      }
      const target = this.#mesh.edges.get(command.to.node);
      this.#count += 1;
      if (target === undefined || (this.failEvery > 0 && this.#count % this.failEvery === 0)) {
        progress.failed += 1;
        continue;
      }
      this.sessions.delete(session);
      target.sessions.add(session);
      this.#mesh.moves.set(session, (this.#mesh.moves.get(session) ?? 0) + 1);
      progress.done += 1;
    }
    for (const session of picked) this.#picked.delete(session);
    progress.isFinal = true;
    this.#isDirty = true;
  }

  #cancelMove(move: string): void {
    const known = this.#moves.get(move);
    if (known !== undefined) known.isCancelled = true;
    this.#isDirty = true;
  }

  #publishMoves(): void {
    if (!this.#isDirty || this.#isStopped) return;
    this.#isDirty = false;
    const report = {
      v: 1,
      node: this.node,
      boot: this.boot,
      at: Date.now(),
      moves: [...this.#moves.values()].slice(-1000).map((m) => m.progress),
    };
    void this.#broker.publish(exchanges.stats, movesKey(this.node), JSON.stringify(report)).catch(() => {});
  }

  #set({ weight, capacity }: CommandOf<'set'>): void {
    const live = { ...(weight && { weight }), ...(capacity && { capacity }) };
    this.stats = { ...this.stats, ...live, live };
    this.publishStats();
  }

  #answer(command: CommandOf<'where'> | CommandOf<'disconnect'>): void {
    const prefix = 'uid' in command ? command.uid : undefined;
    const sessions = [...this.sessions]
      .filter((s) => prefix !== undefined && s.startsWith(prefix))
      .map((session) => ({ session, node: this.node, since: 1, unacked: 0, isBare: false }));
    const reply = { ask: command.ask, node: this.node, boot: this.boot, sessions };
    void this.#broker
      .publish(exchanges.control, replyKey(command.reply), JSON.stringify(reply))
      .catch(() => {});
  }
}
