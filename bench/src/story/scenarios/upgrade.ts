import { isDeepStrictEqual } from 'node:util';
import { type Edge, ensurePackages, type Member } from '@evenkeel/local';
import type { NodeStatus } from 'evenkeel';
import { until } from '../../fleet/until.js';
import { whenReady } from '../../mesh/when-ready.js';
import { buildTree, type Tree, thisTree } from '../../tree.js';
import { runningEdges, type Stage, say } from '../stage.js';
import { Cast } from '../upgrade/cast.js';
import {
  faultsOf,
  faultsOfCalls,
  type GroupResult,
  type UpgradeResult,
  type UpgradeStep,
} from '../upgrade/result.js';

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

/** What a part of the mesh is started from, and what an edge of it calls itself. */
interface Release {
  readonly tree: Tree;
  readonly version: string;
}

/** How often each session had moved, group by group. */
type Changes = readonly (readonly number[])[];

/**
 * A mesh of an older commit becomes one of this commit, part after part as docs/operations.md says, and goes back: under events, topics,
 * requests and publishes, with clients and services of both.
 */
export async function playUpgrade(stage: Stage): Promise<UpgradeResult> {
  await ensurePackages(['python3-websockets'], 'for the client in Python');
  const old = buildTree(stage.options.from, say);
  const tree = thisTree();
  // A deployment is newer than the one it replaces, whatever code it brings: clients of a leaving edge go to the newest.
  const release = (n: number, of: Tree): Release => ({
    tree: of,
    version: `${n}.0.0+${of.commit.replace(/\W.*/, '')}`,
  });
  const [before, target, back] = [release(1, old), release(2, tree), release(3, old)];

  await stage.set({ EVENKEEL_VERSION: before.version }, { checkout: old.dir });
  const upgrade = new Upgrade(stage, before);
  await upgrade.enter();
  const started = await upgrade.changes();
  await upgrade.restart(stage.mesh.gateway, target);
  for (const balancer of stage.mesh.balancers) await upgrade.restart(balancer, target);
  await upgrade.replaceEdges(target);
  const turned = await upgrade.changes();
  await upgrade.replaceEdges(back);
  for (const balancer of stage.mesh.balancers) await upgrade.restart(balancer, back);
  await upgrade.restart(stage.mesh.gateway, back);
  const ended = await upgrade.changes();
  return upgrade.judge(old, tree, { forward: [started, turned], back: [turned, ended] });
}

class Upgrade {
  readonly #stage: Stage;
  readonly #cast: Cast;
  readonly #steps: UpgradeStep[] = [];
  /** The version that each running edge must report. */
  readonly #versions = new Map<string, string>();

  constructor(stage: Stage, before: Release) {
    const { sessions, rate, topics } = stage.options;
    const { amqpUrl, random, mesh } = stage;
    this.#stage = stage;
    this.#cast = new Cast({
      old: before.tree,
      gatewayUrl: mesh.gatewayUrl,
      atEnd: (stop) => stage.atEnd(stop),
      ...{ amqpUrl, sessions, rate, topics, random },
    });
    for (const { node } of mesh.edges) this.#versions.set(node, before.version);
  }

  /** Brings in all clients, pauses automatic rebalancing, and begins to publish. */
  async enter(): Promise<void> {
    const { operator, options } = this.#stage;
    await this.#step('before', async () => {
      await this.#cast.enter();
      const areAttached = await until(attachedTimeoutMs, askEveryMs, async () => {
        const { nodes } = await this.#status();
        return nodes.reduce((sum, { sessions }) => sum + sessions, 0) === options.sessions;
      });
      if (!areAttached) throw new Error('not every session is attached');
      say(`${options.sessions} clients are connected.`);
      await whenReady(answerTimeoutMs, () => operator.pause());
      await this.#cast.begin();
    });
  }

  /** Stops a part of the mesh and starts another version of it in its place. */
  async restart(member: Member, { tree, version }: Release): Promise<void> {
    await this.#step(`${member.name} ${tree.commit}`, () => this.#restart(member, { tree, version }));
  }

  /** Edge after edge is drained and started anew, while one more of the new version stands in. */
  async replaceEdges(release: Release): Promise<void> {
    const { mesh } = this.#stage;
    const { tree, version } = release;
    const first = [...mesh.edges];
    let standIn: Edge | undefined;
    await this.#step(`one more edge ${tree.commit}`, async () => {
      standIn = await mesh.addEdge({ EVENKEEL_VERSION: version }, tree.dir);
      this.#versions.set(standIn.node, version);
      await this.#stage.seen(standIn.node, version);
    });
    for (const edge of first) {
      await this.#step(`${edge.node} ${tree.commit}`, async () => {
        await this.#empty(edge);
        await this.#restart(edge, release);
        this.#versions.set(edge.node, version);
        await this.#stage.seen(edge.node, version);
      });
    }
    await this.#step('the one more goes', async () => {
      if (standIn === undefined) return;
      await this.#empty(standIn);
      await mesh.removeEdge(standIn);
      this.#versions.delete(standIn.node);
    });
  }

  /** How often each session has moved so far. */
  changes(): Promise<Changes> {
    return Promise.all(this.#cast.groups.map((group) => group.changes()));
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

  async #restart(member: Member, { tree, version }: Release): Promise<void> {
    await member.stop();
    member.runFrom(tree.dir);
    await member.start({ EVENKEEL_VERSION: version });
  }

  /** Moves everyone away from an edge, by an operator's command. */
  async #empty({ node }: Edge): Promise<void> {
    await whenReady(answerTimeoutMs, () => this.#stage.operator.drain({ node }));
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
    if (!isPaused) this.#stage.fail(`after ${name} automatic rebalancing is not paused any more`);
  }

  async #status() {
    const answer = await whenReady(answerTimeoutMs, () => this.#stage.operator.status());
    return { nodes: answer.nodes, isPaused: (answer as { isPaused?: unknown }).isPaused === true };
  }
}
