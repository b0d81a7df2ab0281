import { ClockWatch, NodeUrls, silence } from '@evenkeel/cluster';
import { Denials, Mesh } from '@evenkeel/mesh';
import { steadyNow, wallNow } from '@evenkeel/pace';
import { exchanges, type MeshPolicy, type NodeStats } from '@evenkeel/protocol';
import { amqpTlsOf, type Log } from '@evenkeel/runtime';
import { Refreshes, type RefreshesOptions } from '../access/refreshes.js';
import { Admission } from '../admission/admission.js';
import { floorOf } from '../admission/ceiling.js';
import { StatsFeed } from '../cluster/stats-feed.js';
import type { GatewayConfig } from '../config.js';
import { ruleDefaults } from '../placement/choose.js';
import { viewKeptMs } from '../placement/placements.js';
import { Placer } from '../placement/placer.js';
import { TurnedAway } from '../routes/turned-away.js';

/** A key that no session and no question has. */
const nowhere = { exchange: exchanges.replies, key: 'gateway.probe' };
/** What an alarm of RabbitMQ means here. */
const inAlarm = 'new tokens of open sockets wait; clients are placed by the last view of the edges';

export interface CellOptions
  extends Pick<RefreshesOptions, 'authenticate' | 'passes' | 'onAnswered' | 'onRefused'> {
  readonly amqpUrl: string;
  readonly config: Pick<
    GatewayConfig,
    | 'handshakesPerSecond'
    | 'handshakeTargetMs'
    | 'newSessionsPerSecond'
    | 'strategy'
    | 'preferNewest'
    | 'ticketLifetimeMs'
    | 'userReservations'
    | 'nodeUrlPattern'
  > &
    Parameters<typeof amqpTlsOf>[0];
  /** Nothing is known of this node any more. */
  forgotten(node: string): void;
  readonly log: Log;
}

/** Something that is started, and stopped. */
interface Part {
  start(signal: AbortSignal): Promise<void> | void;
  stop(): Promise<void> | void;
}

/** One cell as this gateway sees it: its edges, who is kept out of it, and the questions of its edges. All over its own RabbitMQ. */
export class Cell {
  /** Its edges as they are heard. */
  readonly placer: Placer;
  /** What is logged of those who find no edge here. */
  readonly turnedAway: TurnedAway;
  /** Knows no edge: until it is known who is kept out nobody is placed. */
  readonly #closed: Placer;
  #isOpen = false;
  readonly #mesh: Mesh;
  readonly #feed: StatsFeed;
  readonly #denials: Denials;
  readonly #refreshes: Refreshes;
  /** What is started one after the other, and stopped in reverse, by name. */
  readonly parts: readonly (readonly [string, Part])[];
  readonly #forgotten: CellOptions['forgotten'];
  readonly #ending = new AbortController();
  readonly #started: Part[] = [];

  constructor({ amqpUrl, config, forgotten, log, ...options }: CellOptions) {
    this.#forgotten = forgotten;
    const { handshakesPerSecond: base, handshakeTargetMs: targetMs, newSessionsPerSecond } = config;
    const newPlacer = () =>
      new Placer({
        rules: { ...ruleDefaults, strategy: config.strategy, prefersNewest: config.preferNewest },
        admission: new Admission(
          { ceiling: { base, floor: floorOf(base), targetMs }, newSessionsPerSecond },
          steadyNow(),
        ),
        reservationMs: config.ticketLifetimeMs,
        reservationsPerUser: config.userReservations,
        random: Math.random,
        forgotten: (node) => {
          forgotten(node);
          watch.forget(node);
        },
      });
    const placer = newPlacer();
    this.placer = placer;
    this.#closed = newPlacer();
    this.turnedAway = new TurnedAway(() => placer.snapshot(steadyNow()).nodes, log);
    const watch = new ClockWatch(placer.clocks, (fields, message) => log.warn(fields, message));
    this.#mesh = new Mesh({
      url: amqpUrl,
      tls: amqpTlsOf(config),
      name: 'gateway',
      log,
      uses: [exchanges.stats],
      // Else it would learn of an alarm by the first new token of an open socket.
      probe: { ...nowhere, isWanted: () => placer.silentMs(steadyNow()) !== undefined },
    });
    const urls = new NodeUrls(config.nodeUrlPattern, (node, url) =>
      log.warn({ from: node, url }, 'node ignored: its URL is not one of EVENKEEL_NODE_URL_PATTERN'),
    );
    const onStats = (stats: NodeStats) => {
      if (!urls.takes(stats)) return;
      placer.observe(stats, steadyNow());
      watch.look(stats.node, wallNow() - steadyNow());
    };
    const onPolicy = ({ strategy }: MeshPolicy) => {
      if (placer.follow(strategy)) log.info({ strategy }, 'clients are placed as the balancer plans');
    };
    this.#feed = new StatsFeed(this.#mesh, { onStats, onPolicy }, log);
    this.#denials = new Denials({ connection: this.#mesh.consuming, now: wallNow, log });
    this.#refreshes = new Refreshes({
      ...options,
      mesh: this.#mesh,
      denies: (who) => this.denies(who),
      times: (node) => placer.times(node, steadyNow()),
      log,
    });
    this.parts = [
      ['broker', this.#mesh],
      ['statistics', this.#feed],
      ['denials', { start: (signal) => this.#readDenials(signal), stop: () => this.#denials.stop() }],
      ['refresh', this.#refreshes],
    ];
  }

  /** It is known who is kept out. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** By which clients are placed. */
  get placing(): Placer {
    return this.#isOpen ? this.placer : this.#closed;
  }

  denies(who: { uid: string; sid: string | undefined }): boolean {
    return this.#denials.denies(who);
  }

  figures(): ReturnType<Mesh['figures']> {
    return this.#mesh.figures();
  }

  /** By the name of each check; true, or why not. */
  readiness(): Readonly<Record<'broker' | 'statistics' | 'denials', true | string>> {
    return {
      broker: this.#mesh.readiness(),
      statistics: this.#feed.readiness(),
      denials: this.#denials.readiness(),
    };
  }

  /** What is no reason to place nobody. */
  notes(): Readonly<Record<'denials' | 'refresh' | 'alarm' | 'view', string | undefined>> {
    return {
      denials: this.#denials.lag(),
      refresh: this.#refreshes.note(),
      alarm: this.#mesh.alarm(inAlarm),
      view: silence(this.placer.silentMs(steadyNow()), viewKeptMs),
    };
  }

  /** Resolves once it hears its edges; tries for ever. @throws what the signal says, or that it is stopped. */
  async start(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#ending.signal]);
    for (const [, part] of this.parts) {
      this.#started.push(part);
      await part.start(either);
    }
  }

  /** Its nodes are forgotten, and its connections closed. */
  async stop(): Promise<void> {
    for (const { node } of this.placer.snapshot(steadyNow()).nodes) this.#forgotten(node);
    this.#ending.abort(new Error('the cell is no longer in the map'));
    for (const part of this.#started.splice(0).reverse()) await part.stop();
  }

  async #readDenials(signal: AbortSignal): Promise<void> {
    await this.#denials.start(signal);
    this.#isOpen = true;
  }
}
