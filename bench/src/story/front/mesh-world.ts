import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Edge, type Front, gatewayPlace, placesOf } from '@evenkeel/local';
import type { NodeStats } from '@evenkeel/protocol';
import { addTo, type Counts } from '../../fleet/counts.js';
import { startPlainEvents } from '../../fleet/numbered-plain.js';
import type { NumberedPublisher } from '../../fleet/numbered-publisher.js';
import { until } from '../../fleet/until.js';
import { whenReady } from '../../mesh/when-ready.js';
import { runningEdges, type Stage } from '../stage.js';
import type { StatsWatch } from '../stats-watch.js';
import { BareClient } from '../upgrade/bare-client.js';
import { judged } from '../upgrade/group.js';
import { addressOf } from './addresses.js';
import { choiceOf, serverOf } from './choice.js';
import type { StoryFront } from './result.js';
import type { TicketsOptions } from './tickets.js';
import { faultsOfNodes } from './verdict.js';
import type { NodeSeen, Outcome, Totals, World } from './world.js';

const cli = join(import.meta.dirname, '..', '..', '..', '..', 'packages', 'operator', 'bin', 'evenkeel.mjs');
const comeTimeoutMs = 60_000;
const settleTimeoutMs = 60_000;
const answerTimeoutMs = 15_000;
const drainTimeoutMs = 180_000;
/** What has been published is given this long to arrive before it counts as lost. */
const arriveMs = 1_000;
/** An operator levels what is not, and looks whether that is being done. */
const askEveryMs = 2_500;
/** The statistics of a node that has gone are left out after this. */
const forgetMs = 3_500;
/** Of each client. */
const eventsPerSecond = 4;

/** Evenkeel behind a front. */
export class MeshWorld implements World {
  readonly clients: number;
  readonly #stage: Stage;
  readonly #name: StoryFront;
  readonly #front: Front | undefined;
  readonly #watch: StatsWatch;
  readonly #bare: BareClient[] = [];
  #barePublisher: NumberedPublisher | undefined;
  readonly #reports = new Map<string, { readonly atMs: number; readonly stats: NodeStats }>();
  /** In the order in which the front has them. */
  #listed: Edge[] = [];
  #drained = '';

  constructor(stage: Stage, name: StoryFront, front: Front | undefined, watch: StatsWatch) {
    this.#stage = stage;
    this.#name = name;
    this.#front = front;
    this.#watch = watch;
    this.clients = stage.options.sessions + stage.options.bare;
  }

  /** Where clients ask for an edge. */
  get gatewayUrl(): string {
    const front = this.#front;
    return front?.kind.hasGateway === true ? `http://${front.address}` : this.#stage.mesh.gatewayUrl;
  }

  /** The front sends clients to the edges that there are now. */
  async load(): Promise<void> {
    const { mesh } = this.#stage;
    this.#listed = [...mesh.edges];
    await this.#front?.load(placesOf(this.#listed), [gatewayPlace(mesh)]);
  }

  async enter(): Promise<number | undefined> {
    const { sessions, bare } = this.#stage.options;
    const names = Array.from({ length: bare }, (_, n) => `bare-${n}`);
    this.#stage.atEnd(async () => void (await Promise.all(this.#bare.map((client) => client.stop()))));
    const coming = this.#stage.enter({ gatewayUrl: this.gatewayUrl, addresses: addressOf });
    for (const [n, name] of names.entries()) {
      const client = new BareClient(this.gatewayUrl, name, n, addressOf(sessions + n));
      this.#bare.push(client);
      void client.keepConnected();
    }
    await coming;
    const areIn = await until(comeTimeoutMs, 50, () =>
      this.#bare.every(({ connectMs }) => connectMs !== undefined),
    );
    const { delays } = await this.#stage.fleet.stats();
    // Bare clients are not told when they are attached, and nothing is kept for them before.
    await until(comeTimeoutMs, 200, () => sumOf(this.#nodes()) === this.clients);
    await this.#stage.fleet.reset();
    await this.#stage.publish();
    this.#barePublisher = await startPlainEvents({
      amqpUrl: this.#stage.amqpUrl,
      users: names,
      ratePerSecond: eventsPerSecond * bare,
      random: this.#stage.random,
    });
    this.#stage.atEnd(() => this.#barePublisher?.stop() ?? Promise.resolve());
    if (!areIn) return undefined;
    return Math.round(
      Math.max(delays.connectTimes.maxMs, ...this.#bare.map(({ connectMs = 0 }) => connectMs)),
    );
  }

  async join(): Promise<void> {
    await this.#stage.mesh.addEdge();
    await this.load();
    await this.#tryPinnedAgain();
  }

  async drain(): Promise<string> {
    this.#drained = 'edge-1';
    const child = spawn(process.execPath, [cli, 'drain', this.#drained, '--wait'], {
      env: { ...process.env, EVENKEEL_OPERATOR_AMQP_URL: this.#stage.urlFor('operator') },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: drainTimeoutMs,
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        said += chunk;
      });
    const [status] = (await once(child, 'close')) as [number | null];
    const last = said.trim().split('\n').at(-1) ?? '';
    if (status === null)
      this.#stage.fail(`the drain did not end within ${drainTimeoutMs / 1_000} s: ${last}`);
    else if (status > 1) this.#stage.fail(`the drain failed: ${said.trim()}`);
    return `exit status ${status}: ${last}`;
  }

  async uncordon(): Promise<void> {
    await whenReady(answerTimeoutMs, () => this.#stage.operator.uncordon({ node: this.#drained }));
    this.#drained = '';
  }

  async kill(): Promise<number | undefined> {
    const edge = this.#edge(2);
    const atMs = Date.now();
    await edge.kill();
    const { sessions } = this.#stage.options;
    const areBack = await until(comeTimeoutMs, 100, async () => {
      const { connected, perNode } = await this.#stage.fleet.stats();
      return (
        connected === sessions &&
        (perNode[edge.node] ?? 0) === 0 &&
        this.#bare.every(({ isConnected }) => isConnected) &&
        sumOf(this.#nodes()) === this.clients
      );
    });
    return areBack ? Date.now() - atMs : undefined;
  }

  async back(): Promise<void> {
    await this.#edge(2).start();
    await this.#tryPinnedAgain();
  }

  async restart(edge: number): Promise<void> {
    await this.#edge(edge).restart();
    await this.#tryPinnedAgain();
  }

  /** The front's hash is another one now: nodes forget whom it has kept there when they are cordoned. */
  async #tryPinnedAgain(): Promise<void> {
    const { operator } = this.#stage;
    for (const { node, pinned } of this.#nodes()) {
      if (pinned === 0) continue;
      await whenReady(answerTimeoutMs, () => operator.cordon({ node }));
      await whenReady(answerTimeoutMs, () => operator.uncordon({ node }));
    }
  }

  /** Until the balancer has nothing to move and everybody is where the front lets them be. */
  async settled(): Promise<readonly NodeSeen[]> {
    let nodes: readonly NodeSeen[] = [];
    let askedAtMs = Date.now();
    await until(settleTimeoutMs, 500, async () => {
      nodes = await this.#withHash(this.#nodes());
      if (nodes.length < runningEdges(this.#stage.mesh).length) return false;
      const isSo = faultsOfNodes(nodes, choiceOf(this.#name), this.clients).length === 0;
      if (Date.now() - askedAtMs < askEveryMs && !isSo) return false;
      askedAtMs = Date.now();
      const { operator } = this.#stage;
      const { plan } = await operator.status();
      if (plan != null) return false;
      // By itself the balancer lets a little unevenness be.
      if (!isSo) await operator.rebalance().catch(() => undefined);
      return isSo;
    });
    return nodes;
  }

  async totals(): Promise<Totals> {
    const { fleet, publisher } = this.#stage;
    const sent = publisher?.counts().perNumber.slice() ?? new Uint32Array();
    const bareSent = this.#barePublisher?.counts().perNumber.slice() ?? new Uint32Array();
    await new Promise((resolve) => setTimeout(resolve, arriveMs));
    const [{ events }, { moves, disconnects }] = [await fleet.check(sent), await fleet.stats()];
    const bareMoves = this.#bare.reduce((sum, { closes }) => sum + (closes[1012] ?? 0), 0);
    return {
      moved: moves + bareMoves,
      disconnects: disconnects + this.#bare.reduce((sum, client) => sum + client.disconnects, 0),
      lost: events.lost,
      bareLost: this.#bareDeliveries(bareSent).lost,
    };
  }

  async finish(): Promise<Outcome> {
    const { fleet, publisher } = this.#stage;
    const [counts, bareCounts] = [await publisher?.finish(), await this.#barePublisher?.finish()];
    await until(comeTimeoutMs, 250, () => fleet.progress.delivered >= (counts?.sent ?? 0));
    await new Promise((resolve) => setTimeout(resolve, arriveMs));
    const [{ events }, { incidents }] = [
      await fleet.check(counts?.perNumber ?? new Uint32Array()),
      await fleet.stats(),
    ];
    const closes: Counts = {};
    for (const client of this.#bare) addTo(closes, client.closes);
    return {
      sdk: { published: counts?.sent ?? 0, ...events },
      bare: {
        published: bareCounts?.sent ?? 0,
        ...this.#bareDeliveries(bareCounts?.perNumber ?? new Uint32Array()),
      },
      closes,
      incidents: [
        ...incidents.map(
          ({ atMs, user, node, what }) => `${new Date(atMs).toISOString()} ${user} on ${node}: ${what}`,
        ),
        ...this.#bare.flatMap((client) => client.incidents),
      ],
    };
  }

  tickets(): TicketsOptions {
    return {
      gatewayUrl: this.gatewayUrl,
      secret: this.#stage.mesh.secret,
      addressOf,
      wrongUrl: (url, node) => this.#wrongUrl(url, node),
    };
  }

  /** By another path, or past the front, where that would find the right edge; else the front chooses. */
  #wrongUrl(url: string, node: string): string {
    const other = runningEdges(this.#stage.mesh).find((edge) => edge.node !== node);
    if (other === undefined || choiceOf(this.#name) !== 'named') return url;
    const byPath = url.replace(`/e/${node}/`, `/e/${other.node}/`);
    return byPath === url ? other.url : byPath;
  }

  #edge(number: number): Edge {
    const edge = this.#stage.mesh.edges[number - 1];
    if (edge === undefined) throw new Error(`there is no edge ${number}`);
    return edge;
  }

  #bareDeliveries(sent: Uint32Array) {
    return judged(this.#bare.map(({ record }, n) => ({ record, sent: sent[n] ?? 0 })));
  }

  /** As they reported themselves last. */
  #nodes(): NodeSeen[] {
    const nowMs = Date.now();
    for (const stats of this.#watch.take()) this.#reports.set(stats.node, { atMs: nowMs, stats });
    const running = new Set(runningEdges(this.#stage.mesh).map(({ node }) => node));
    for (const [node, { atMs }] of this.#reports)
      if (nowMs - atMs > forgetMs || !running.has(node)) this.#reports.delete(node);
    return [...this.#reports.values()]
      .map(({ stats: { node, sessions, pinned = 0 } }) => ({
        node,
        sessions,
        pinned,
        hashed: undefined,
        isDrained: node === this.#drained,
      }))
      .sort((a, b) => a.node.localeCompare(b.node));
  }

  /** For fronts that choose by a hash: how many of the sessions of each node it keeps there. */
  async #withHash(nodes: readonly NodeSeen[]): Promise<readonly NodeSeen[]> {
    if (this.#front?.kind.choice !== 'hashed') return nodes;
    const servers = this.#listed.map(({ isRunning }) => ({ weight: 1, isUp: isRunning }));
    const { sessions } = this.#stage.options;
    const where = await this.#stage.fleet.whereabouts();
    for (const n of this.#bare.keys()) {
      const answer = await this.#stage.operator.where(`bare-${n}`);
      where.push(answer.sessions?.[0]?.node ?? '');
    }
    const hashed: Counts = {};
    for (const [n, node] of where.entries()) {
      const server = this.#listed[serverOf(this.#name, addressOf(n), servers)];
      if (server?.node === node) hashed[node] = (hashed[node] ?? 0) + 1;
    }
    if (where.length !== sessions + this.#bare.length) throw new Error('a client is missing');
    return nodes.map((seen) => ({ ...seen, hashed: hashed[seen.node] ?? 0 }));
  }
}

const sumOf = (nodes: readonly NodeSeen[]): number => nodes.reduce((sum, { sessions }) => sum + sessions, 0);
