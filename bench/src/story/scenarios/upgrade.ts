import { isDeepStrictEqual } from 'node:util';
import { type Edge, ensurePackages, type Member, type Role } from '@evenkeel/local';
import { createOperator, type NodeStatus, type Operator } from 'evenkeel';
import { until } from '../../fleet/until.js';
import { whenReady } from '../../mesh/when-ready.js';
import { buildTree, moduleOf, type Tree, thisTree } from '../../tree.js';
import { runningEdges, type Stage, say } from '../stage.js';
import { Cast } from '../upgrade/cast.js';
import {
  faultsOf,
  faultsOfCalls,
  type GroupResult,
  type UpgradeResult,
  type UpgradeStep,
} from '../upgrade/result.js';
import { application } from '../upgrade/sdk.js';
import { visit } from '../upgrade/visitors.js';

/** A session may move once with its edge and once more from the edge that stands in. */
const mostMoves = 2;
const answerTimeoutMs = 20_000;
const emptyTimeoutMs = 120_000;
const attachedTimeoutMs = 60_000;
const arriveTimeoutMs = 30_000;
/** A repeat may come late. */
const repeatsMs = 2_000;
const seenTimeoutMs = 15_000;
const askEveryMs = 500;

/** What a part of the mesh is started from, as whom it logs in, and with what settings. */
interface Release {
  readonly tree: Tree;
  /** What its edges call themselves. */
  readonly version: string;
  readonly urlFor: (user: string) => string;
  /** Of its edges. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Other arguments of new queues: those that are there keep theirs. */
const otherQueues = { EVENKEEL_SESSION_LIFETIME_MS: '240000', EVENKEEL_SESSION_MAX_LENGTH: '2000' };
const queuesOfBefore = { EVENKEEL_SESSION_LIFETIME_MS: '300000', EVENKEEL_SESSION_MAX_LENGTH: '1000' };

/** How often each session had moved, group by group. */
type Changes = readonly (readonly number[])[];

/**
 * A mesh of an older commit becomes one of this commit, part after part as docs/deployment.md says, and goes back: under events, topics,
 * requests and publishes, with clients and services of both.
 */
export async function playUpgrade(stage: Stage): Promise<UpgradeResult> {
  await ensurePackages(['python3-websockets'], 'for the client in Python');
  const old = buildTree(stage.options.from, say);
  const tree = thisTree();
  // A deployment is newer than the one it replaces, whatever code it brings: clients of a leaving edge go to the newest.
  const versionOf = (n: number, { commit }: Tree) => `${n}.0.0+${commit.replace(/\W.*/, '')}`;
  await stage.set({ EVENKEEL_VERSION: versionOf(1, old) }, { checkout: old.dir });
  const { amqpUrl, urlFor } = stage;
  const before: Release = {
    tree: old,
    version: versionOf(1, old),
    urlFor: () => amqpUrl,
    settings: queuesOfBefore,
  };
  const target: Release = { tree, version: versionOf(2, tree), urlFor, settings: otherQueues };
  const back: Release = { ...before, version: versionOf(3, old) };

  const upgrade = await Upgrade.of(stage, before);
  await upgrade.enter();
  const started = await upgrade.changes();
  await upgrade.replaceBalancers(target);
  await upgrade.replace(stage.mesh.gateway, target);
  await upgrade.remove(await upgrade.replaceEdges(target));
  upgrade.checkWire(true);
  await upgrade.changeServiceUser(urlFor(`app-${application}`));
  await upgrade.changeServiceUser(amqpUrl);
  const turned = await upgrade.changes();
  const standIn = await upgrade.replaceEdges(back);
  await upgrade.replace(stage.mesh.gateway, back);
  await upgrade.replaceBalancersUnderPlan(standIn, back);
  await upgrade.remove(standIn);
  upgrade.checkWire(false);
  const ended = await upgrade.changes();
  return upgrade.judge(old, tree, { forward: [started, turned], back: [turned, ended] });
}

class Upgrade {
  readonly #stage: Stage;
  readonly #cast: Cast;
  readonly #steps: UpgradeStep[] = [];
  /** The version that each running edge must report. */
  readonly #versions = new Map<string, string>();
  #isNamedBefore = false;
  /** As the balancer's release and rights have it. */
  #operator: Operator;
  /** Looks on, whatever the balancer is. */
  readonly #oldOperator: Operator;

  /** The mesh of `stage` is all of the release `before`. */
  static async of(stage: Stage, before: Release): Promise<Upgrade> {
    const { createOperator } = (await import(moduleOf(before.tree, 'operator'))) as typeof import('evenkeel');
    const oldOperator = await createOperator({
      amqpUrl: before.urlFor('operator'),
      timeoutMs: answerTimeoutMs,
    });
    stage.atEnd(() => oldOperator.close());
    return new Upgrade(stage, before, oldOperator);
  }

  private constructor(stage: Stage, before: Release, oldOperator: Operator) {
    const { sessions, rate, topics } = stage.options;
    const { amqpUrl, random, mesh } = stage;
    this.#stage = stage;
    this.#operator = stage.operator;
    this.#oldOperator = oldOperator;
    this.#cast = new Cast({
      old: before.tree,
      gatewayUrl: mesh.gatewayUrl,
      appAmqpUrl: stage.urlFor(`app-${application}`),
      atEnd: (stop) => stage.atEnd(stop),
      ...{ amqpUrl, sessions, rate, topics, random },
    });
    for (const { node } of mesh.edges) this.#versions.set(node, before.version);
  }

  /** Brings in all clients, pauses automatic rebalancing, and begins to publish. */
  async enter(): Promise<void> {
    const { options } = this.#stage;
    await this.#step('before', async () => {
      await this.#cast.enter();
      const areAttached = await until(attachedTimeoutMs, askEveryMs, async () => {
        const { nodes } = await this.#status();
        return nodes.reduce((sum, { sessions }) => sum + sessions, 0) === options.sessions;
      });
      if (!areAttached) throw new Error('not every session is attached');
      say(`${options.sessions} clients are connected.`);
      this.#isNamedBefore = this.#cast.partNamed > 0;
      await whenReady(answerTimeoutMs, () => this.#operator.pause());
      await this.#cast.begin();
    });
  }

  /** Stops a part of the mesh and starts another release of it in its place. */
  async replace(member: Member, release: Release): Promise<void> {
    await this.#step(`${member.name} ${release.tree.commit}`, () => this.#replace(member, release));
  }

  async replaceBalancers(release: Release): Promise<void> {
    await this.#step(`balancer ${release.tree.commit}`, () => this.#replaceBalancers(release));
  }

  /** The same while a plan waits that the one has made and the other must finish. */
  async replaceBalancersUnderPlan(edge: Edge, release: Release): Promise<void> {
    await this.#step(`balancer ${release.tree.commit}, and its plan`, async () => {
      await whenReady(answerTimeoutMs, () => this.#operator.drain({ node: edge.node }));
      let id: string | undefined;
      await until(answerTimeoutMs, 10, async () => {
        id = (await this.#operator.status()).plan?.id ?? undefined;
        return id !== undefined;
      });
      if (id === undefined) return this.#stage.fail(`the drain of ${edge.node} made no plan`);
      await this.#operator.pause({ plan: id });
      await this.#replaceBalancers(release);
      const { plan: taken } = await whenReady(answerTimeoutMs, () => this.#operator.status());
      if (taken?.id !== id || taken.state !== 'paused')
        this.#stage.fail(`the plan ${id} was not taken over, paused: ${JSON.stringify(taken)}`);
      await whenReady(answerTimeoutMs, () => this.#operator.resume({ plan: id }));
    });
  }

  /** Edge after edge is drained and started anew, while one more of the new release stands in; returns that one. */
  async replaceEdges(release: Release): Promise<Edge> {
    const { mesh } = this.#stage;
    const { tree, version } = release;
    const first = [...mesh.edges];
    const standIn = await mesh.addEdge(this.#settingsOf('edge', release), tree.dir);
    this.#versions.set(standIn.node, version);
    await this.#step(`${standIn.node} ${tree.commit} stands in`, () =>
      this.#stage.seen(standIn.node, version),
    );
    for (const edge of first) {
      await this.#step(`${edge.node} ${tree.commit}`, async () => {
        await this.#empty(edge);
        await this.#replace(edge, release);
        this.#versions.set(edge.node, version);
        await this.#stage.seen(edge.node, version);
      });
    }
    return standIn;
  }

  /** Drains and stops an edge. */
  async remove(edge: Edge): Promise<void> {
    await this.#step(`${edge.node} goes`, async () => {
      await this.#empty(edge);
      await this.#stage.mesh.removeEdge(edge);
      this.#versions.delete(edge.node);
    });
  }

  /** A service of this version logs in as another user of the broker. */
  async changeServiceUser(amqpUrl: string): Promise<void> {
    const { callers } = this.#cast;
    const service = callers.services.find(({ sdk }) => sdk.version === 'new');
    if (service === undefined) throw new Error('no service of this version runs');
    await this.#step(`service as ${new URL(amqpUrl).username}`, () => callers.serve(service.sdk, amqpUrl));
  }

  /** How often each session has moved so far. */
  changes(): Promise<Changes> {
    return Promise.all(this.#cast.groups.map((group) => group.changes()));
  }

  /** All edges are of one version now; the wire shows of which, where the older one did not name connections. */
  checkWire(isThisVersion: boolean): void {
    const { partNamed } = this.#cast;
    if (isThisVersion ? partNamed === 1 : partNamed === 0 || this.#isNamedBefore) return;
    this.#stage.fail(
      `${Math.round(partNamed * 100)} % of the raw clients were told the name of their connection`,
    );
  }

  async judge(
    old: Tree,
    tree: Tree,
    directions: Readonly<Record<string, readonly [Changes, Changes]>>,
  ): Promise<UpgradeResult> {
    const { groups, topics } = this.#cast;
    const { sessions } = this.#stage.options;
    const calls = await this.#cast.callers.finish();
    const topicsSent = (await topics?.finish())?.perNumber ?? new Uint32Array();
    for (const { publisher } of groups) await publisher?.finish();
    await until(arriveTimeoutMs, 100, () =>
      groups.every((group) => group.delivered() >= (group.publisher?.counts().sent ?? 0)),
    );
    await new Promise((resolve) => setTimeout(resolve, repeatsMs));
    const connected = await this.#cast.connected();
    if (connected !== sessions)
      this.#stage.fail(`${connected} of ${sessions} clients were connected at the end`);

    const results = await Promise.all(
      groups.map(async (group, g): Promise<GroupResult> => {
        const outcome = await group.outcome(topicsSent);
        const moves = Object.entries(directions).map(([name, [from, to]]) => {
          const each = (to[g] ?? []).map((count, n) => count - (from[g]?.[n] ?? 0));
          return [name, { fewest: Math.min(...each), most: Math.max(...each) }] as const;
        });
        return { ...outcome, name: group.name, clients: group.size, moves: Object.fromEntries(moves) };
      }),
    );
    for (const result of results) for (const fault of faultsOf(result, mostMoves)) this.#stage.fail(fault);
    for (const fault of faultsOfCalls(calls)) this.#stage.fail(fault);
    return {
      scenario: 'upgrade',
      held: this.#stage.failures.length === 0,
      failures: this.#stage.failures,
      from: old.commit,
      to: tree.commit,
      sessions,
      steps: this.#steps,
      groups: results,
      topics: { published: topics?.counts().sent ?? 0 },
      calls,
    };
  }

  /** What commands the balancer changes with it: an operator has rights on what its balancer declares. */
  async #replaceBalancers(release: Release): Promise<void> {
    for (const balancer of this.#stage.mesh.balancers) await this.#replace(balancer, release);
    const operator = await createOperator({
      amqpUrl: release.urlFor('operator'),
      timeoutMs: answerTimeoutMs,
    });
    this.#stage.atEnd(() => operator.close());
    this.#operator = operator;
  }

  async #replace(member: Member, release: Release): Promise<void> {
    await member.stop();
    member.runFrom(release.tree.dir);
    await member.start(this.#settingsOf(member.role, release));
  }

  #settingsOf(role: Role, { version, urlFor, settings }: Release): Record<string, string> {
    return {
      EVENKEEL_AMQP_URL: urlFor(role),
      ...(role === 'edge' && { EVENKEEL_VERSION: version, ...settings }),
    };
  }

  /** Moves everyone away from an edge, by an operator's command. */
  async #empty({ node }: Edge): Promise<void> {
    await whenReady(answerTimeoutMs, () => this.#operator.drain({ node }));
    const isEmpty = await until(emptyTimeoutMs, askEveryMs, async () => {
      const { nodes } = await this.#status();
      return nodes.some((each) => each.node === node && each.connections === 0 && each.sessions === 0);
    });
    if (!isEmpty) this.#stage.fail(`${node} was not empty ${emptyTimeoutMs / 1_000} s after its drain`);
  }

  /** Takes a step, and holds what the balancer says after it against what must be. */
  async #step(name: string, take: () => Promise<void>): Promise<void> {
    const beganAtMs = Date.now();
    await take();
    let [nodes, isPaused]: [NodeStatus[], boolean] = [[], false];
    const meant = () =>
      runningEdges(this.#stage.mesh).map(({ node }) => `${node} ${this.#versions.get(node)}`);
    let seen: string[] = [];
    // A balancer that has just started hears of every edge within a second or two.
    await until(seenTimeoutMs, askEveryMs, async () => {
      ({ nodes, isPaused } = await this.#status());
      nodes = nodes.filter(({ node }) => this.#versions.has(node));
      seen = nodes.map(({ node, version }) => `${node} ${version}`);
      return isDeepStrictEqual(seen.sort(), meant().sort());
    });
    const seconds = Math.round((Date.now() - beganAtMs) / 100) / 10;
    const shown = nodes.map(({ node, version, connections }) => [node, { version, connections }] as const);
    this.#steps.push({ name, seconds, nodes: Object.fromEntries(shown), isPaused });
    say(
      `${name}: ${seconds} s; ${shown.map(([node, { version, connections }]) => `${node} ${connections} on ${version}`).join(', ')}`,
    );
    if (!isDeepStrictEqual(seen, meant().sort()))
      this.#stage.fail(`after ${name} the balancer sees ${seen.join(', ')}, not ${meant().join(', ')}`);
    const { nodes: seenByOld } = await whenReady(answerTimeoutMs, () => this.#oldOperator.status());
    if (!seenByOld.some((each) => this.#versions.has(each.node)))
      this.#stage.fail(`after ${name} an operator of before sees no edge`);
    const troubles = await visit(
      this.#stage.mesh.gatewayUrl,
      this.#cast.callers.services,
      this.#steps.length,
    );
    for (const trouble of troubles) this.#stage.fail(`after ${name}: ${trouble}`);
    if (!isPaused) this.#stage.fail(`after ${name} automatic rebalancing is not paused any more`);
  }

  async #status() {
    const answer = await whenReady(answerTimeoutMs, () => this.#operator.status());
    return { nodes: answer.nodes, isPaused: (answer as { isPaused?: unknown }).isPaused === true };
  }
}
