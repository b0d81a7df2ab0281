import { exchanges, historyQueue, topicKey } from '@evenkeel/protocol';
import { createPublisher } from '@evenkeel/publisher';
import { eventually, type RawClient } from '@evenkeel/testkit';
import { connect } from 'amqplib';
import { expect, it, onTestFinished } from 'vitest';
import { clusterForFile } from '../support/cluster.js';
import { EdgeMesh, SessionUnderTest } from '../support/edge.js';

const cluster = clusterForFile();
const namespaces = JSON.stringify({
  namespaces: {
    '*': { subscribe: 'anyone' },
    room: { subscribe: 'anyone', history: { size: 100_000, seconds: 3600 } },
  },
});
const [bareTopic, sdkTopic] = ['room.bare', 'room.sdk'];

/** The first version of RabbitMQ that writes to a stream what it confirms. */
const isMended = (version: string): boolean => Number.parseInt(version, 10) >= 4;

async function leaderOf(queue: string): Promise<string> {
  const listed = await cluster.broker.ctl(['list_queues', 'name', 'leader', '--no-table-headers']);
  const rows = listed.split('\n').map((line) => line.split('\t'));
  return rows.find(([name]) => name === queue)?.[1] ?? '';
}

/** Published by one channel to many topics, as an application does that knows nothing of streams; what was confirmed. */
async function bareAt(url: string): Promise<{ readonly confirmed: number[]; stop(): Promise<void> }> {
  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  const confirmed: number[] = [];
  let n = 0;
  const timer = setInterval(() => {
    for (let other = 0; other < 10; other++) {
      channel.publish(exchanges.events, topicKey('noise.of-others'), Buffer.from('0'));
    }
    n += 1;
    const mine = n;
    const body = Buffer.from(String(mine));
    channel.publish(exchanges.events, topicKey(bareTopic), body, { persistent: true }, (error) => {
      if (!error) confirmed.push(mine);
    });
  }, 20);
  return {
    confirmed,
    stop: async () => {
      clearInterval(timer);
      await eventually('the last confirms', () => confirmed.includes(n), 10_000);
      await connection.close();
    },
  };
}

const messagesOf = (client: RawClient, topic: string): number[] =>
  client.frames
    .filter((frame) => frame.t === 'message' && frame.topic === topic)
    .map(({ data }) => Number(data));

it('the leader of a stream is lost: subscribers are told what RabbitMQ took and did not write, and the SDK loses nothing', async () => {
  const { broker } = cluster;
  const mesh = await EdgeMesh.open({ vhost: '/', amqpUrl: broker.amqpUrl, urlFor: broker.urlFor });
  onTestFinished(() => mesh.close());
  const log: string[] = [];
  const edge = await mesh.edge('kept', { NAMESPACES: namespaces }, log);
  const client = await new SessionUnderTest('reader').attach(edge, { topics: [bareTopic, sdkTopic] });
  const leader = await leaderOf(historyQueue('room'));
  const victim = broker.nodes.find(({ name }) => name === leader);
  if (victim === undefined) throw new Error(`no node leads the stream: ${leader}`);
  const safe = broker
    .urlFor('app-shop')
    .split(',')
    .filter((_, n) => broker.nodes[n] !== victim);

  const bare = await bareAt(safe[0] ?? '');
  const sdk = await createPublisher({ amqpUrl: safe.join(), name: 'shop' });
  const bySdk: number[] = [];
  let n = 0;
  const publishing = setInterval(() => {
    n += 1;
    const mine = n;
    for (let other = 0; other < 10; other++) sdk.toTopic('noise.of-others', 0).catch(() => undefined);
    sdk.toTopic(sdkTopic, mine).then(
      () => bySdk.push(mine),
      () => undefined,
    );
  }, 20);
  onTestFinished(() => clearInterval(publishing));
  await eventually('messages of both', () => bySdk.length > 50 && bare.confirmed.length > 50, 20_000);
  await victim.kill();
  const had = bySdk.length;
  await eventually('more of both', () => bySdk.length > had + 500, 60_000);
  clearInterval(publishing);
  await bare.stop();
  await sdk.close();
  await victim.restart();

  const has = (topic: string, all: readonly number[]) => {
    const come = new Set(messagesOf(client, topic));
    return all.filter((each) => !come.has(each));
  };
  await eventually('what the SDK has published', () => has(sdkTopic, bySdk).length === 0, 30_000);
  const ordered = messagesOf(client, sdkTopic);
  expect(ordered).toEqual([...ordered].sort((a, b) => a - b));
  const missing = () => has(bareTopic, bare.confirmed);
  if (isMended(broker.version)) {
    await eventually('what was published bare', () => missing().length === 0, 30_000);
    expect(client.frames.filter(({ t }) => t === 'gap')).toEqual([]);
    return;
  }
  await eventually(
    'a gap',
    () => client.frames.some(({ t, reason }) => t === 'gap' && reason === 'history-lost'),
    30_000,
  );
  // The fault has happened: without it this shows nothing.
  expect(missing().length).toBeGreaterThan(0);
  expect(log.join('\n')).toContain('are not in the history');
}, 240_000);
