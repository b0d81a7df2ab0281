import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Front, freePort, type Place } from '@evenkeel/local';
import { addTo, type Counts } from '../../fleet/counts.js';
import { until } from '../../fleet/until.js';
import type { Stage } from '../stage.js';
import { judged } from '../upgrade/group.js';
import { addressOf } from './addresses.js';
import { PlainClient } from './plain-client.js';
import type { NodeSeen, Outcome, Totals, World } from './world.js';

const comeTimeoutMs = 60_000;
/** What a step has brought about shows by then: nothing moves anybody later. */
const settleMs = 3_000;
const arriveMs = 500;
const tickMs = 250;
const main = fileURLToPath(new URL('./plain-server.js', import.meta.url));

interface Server {
  readonly node: string;
  readonly port: number;
  readonly agentPort: number;
  process: ChildProcess | undefined;
  clients: number;
}

/** What people have without Evenkeel: plain servers behind the same front, clients that dial again. */
export class PlainWorld implements World {
  readonly clients: number;
  readonly #stage: Stage;
  readonly #front: Front | undefined;
  readonly #servers: Server[] = [];
  readonly #crowd: PlainClient[] = [];
  #sent = 0;
  #dialled = 0;
  #drained = '';

  constructor(stage: Stage, front: Front | undefined) {
    this.#stage = stage;
    this.#front = front;
    this.clients = stage.options.sessions + stage.options.bare;
  }

  async enter(): Promise<number | undefined> {
    this.#stage.atEnd(async () => {
      for (const client of this.#crowd) client.stop();
      for (const { process } of this.#servers) process?.kill('SIGKILL');
    });
    for (let n = 0; n < this.#stage.options.edges; n++) await this.#add();
    await this.#load();
    for (let n = 0; n < this.clients; n++) {
      const client = new PlainClient(() => this.#urlOf(), addressOf(n), this.#stage.random);
      this.#crowd.push(client);
    }
    const areIn = await this.#areIn();
    const timer = setInterval(() => this.#tick(), tickMs);
    this.#stage.atEnd(async () => clearInterval(timer));
    return areIn ? Math.round(Math.max(...this.#crowd.map(({ connectMs = 0 }) => connectMs))) : undefined;
  }

  async join(): Promise<void> {
    await this.#add();
    await this.#load();
  }

  /** All that can be done: send nobody new there. */
  async drain(): Promise<string> {
    this.#drained = 'edge-1';
    await this.#load();
    return 'taken out of the front';
  }

  async uncordon(): Promise<void> {
    this.#drained = '';
    await this.#load();
  }

  async kill(): Promise<number | undefined> {
    const atMs = Date.now();
    const server = this.#server(2);
    const cut = this.#disconnects() + server.clients;
    await this.#stop(server, 'SIGKILL');
    await until(comeTimeoutMs, 10, () => this.#disconnects() >= cut);
    return (await this.#areIn()) ? Date.now() - atMs : undefined;
  }

  back(): Promise<void> {
    return this.#start(this.#server(2));
  }

  async restart(edge: number): Promise<void> {
    await this.#stop(this.#server(edge), 'SIGTERM');
    await this.#start(this.#server(edge));
  }

  async settled(): Promise<readonly NodeSeen[]> {
    await this.#areIn();
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    return this.#servers
      .filter(({ process }) => process !== undefined)
      .map(({ node, clients }) => ({
        node,
        sessions: clients,
        pinned: 0,
        hashed: undefined,
        isDrained: node === this.#drained,
      }));
  }

  async totals(): Promise<Totals> {
    const sent = this.#sent;
    await new Promise((resolve) => setTimeout(resolve, arriveMs));
    return { moved: 0, disconnects: this.#disconnects(), lost: this.#deliveries(sent).lost, bareLost: 0 };
  }

  async finish(): Promise<Outcome> {
    const sent = this.#sent;
    await new Promise((resolve) => setTimeout(resolve, arriveMs));
    const closes: Counts = {};
    for (const client of this.#crowd) addTo(closes, client.closes);
    const all = { published: sent * this.clients, ...this.#deliveries(sent) };
    return { sdk: all, bare: all, closes, incidents: [] };
  }

  #disconnects(): number {
    return this.#crowd.reduce((sum, client) => sum + client.disconnects, 0);
  }

  #deliveries(sent: number) {
    return judged(this.#crowd.map(({ record }) => ({ record, sent })));
  }

  #areIn(): Promise<boolean> {
    return until(comeTimeoutMs, 50, () => this.#crowd.every(({ isConnected }) => isConnected));
  }

  #tick(): void {
    this.#sent++;
    for (const { process } of this.#servers) if (process?.connected) process.send({ k: this.#sent });
  }

  #server(number: number): Server {
    const server = this.#servers[number - 1];
    if (server === undefined) throw new Error(`there is no server ${number}`);
    return server;
  }

  async #add(): Promise<void> {
    const node = `edge-${this.#servers.length + 1}`;
    const server = {
      node,
      port: await freePort(),
      agentPort: await freePort(),
      process: undefined,
      clients: 0,
    };
    this.#servers.push(server);
    await this.#start(server);
  }

  async #start(server: Server): Promise<void> {
    const child = fork(main, [String(server.port), String(server.agentPort)], {
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    child.on('message', ({ clients }: { clients: number }) => {
      server.clients = clients;
    });
    await once(child, 'message');
    server.process = child;
  }

  async #stop(server: Server, signal: NodeJS.Signals): Promise<void> {
    const child = server.process;
    if (child === undefined) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
    server.process = undefined;
    server.clients = 0;
  }

  /** The front has those that are not drained. */
  async #load(): Promise<void> {
    const listed = this.#servers.filter(({ node }) => node !== this.#drained);
    const places = listed.map(
      ({ node, port, agentPort }): Place => ({ name: node, address: `127.0.0.1:${port}`, agentPort }),
    );
    await this.#front?.load(places, [{ name: 'gateway-1', address: places[0]?.address ?? '' }]);
  }

  /** Where the client is to say which server it wants, they take turns. */
  #urlOf(): string {
    const up = this.#servers.filter(({ process, node }) => process !== undefined && node !== this.#drained);
    const turn = up[this.#dialled++ % up.length];
    if (this.#front === undefined) return `ws://127.0.0.1:${turn?.port}/ws`;
    return `${this.#front.publicUrl.replace('{node}', turn?.node ?? '')}?ticket=${turn?.node}.plain.plain`;
  }
}
