import type { ComponentChildren } from 'preact';
import { useDesk } from '../context.js';
import { bytes, count, duration } from '../format.js';
import { useAnswer } from '../live.js';
import { Connections } from '../parts/connections.js';
import { Facts } from '../parts/facts.js';
import { to } from '../route.js';
import type { BrokerView, RabbitmqView } from '../types.js';

const everyMs = 3_000;

/** RabbitMQ, as the console and, where it may ask, the broker's own management API see it. */
export function BrokerScreen() {
  const { answer, error } = useAnswer<BrokerView>('/api/broker', everyMs);
  return (
    <>
      <h1>Broker</h1>
      {error !== undefined && <p class="trouble">{error}</p>}
      {answer !== undefined && (
        <>
          <p class="lead" data-tone={answer.isConnected ? 'good' : 'bad'}>
            {answer.isConnected
              ? 'The console is connected to RabbitMQ.'
              : `The console is not connected to RabbitMQ${answer.why === undefined ? '.' : `: ${answer.why}`}`}
          </p>
          <MeshParts />
          <Rabbitmq view={answer.rabbitmq} />
        </>
      )}
    </>
  );
}

/** What the mesh itself knows: the leader's connections, and nodes that have trouble with theirs. */
function MeshParts() {
  const { status } = useDesk().live;
  const troubled = (status?.nodes ?? []).filter(({ amqp }) => amqp !== undefined);
  return (
    <>
      {troubled.length > 0 && (
        <section class="card" aria-labelledby="troubled-title">
          <h2 id="troubled-title">Nodes in trouble with RabbitMQ</h2>
          <ul class="counts">
            {troubled.map(({ node, amqp }) => (
              <li key={node}>
                <a href={to('node', node)}>{node}</a>
                <strong>
                  {amqp?.isBlocked
                    ? 'blocked by an alarm'
                    : `${count(amqp?.recovering ?? 0)} consumers recovering`}
                </strong>
              </li>
            ))}
          </ul>
        </section>
      )}
      {status?.amqp !== undefined && (
        <section class="card" aria-labelledby="leader-title">
          <h2 id="leader-title">The leading balancer's connections</h2>
          <Connections connections={status.amqp} />
        </section>
      )}
    </>
  );
}

function Rabbitmq({ view }: { view: BrokerView['rabbitmq'] }) {
  if (view === null) {
    return (
      <p class="note">
        Set <code>EVENKEEL_RABBITMQ_API_URL</code> to see RabbitMQ's own figures here: connections, queues,
        memory, disk.
      </p>
    );
  }
  if ('error' in view) return <p class="trouble">RabbitMQ's management API: {view.error}</p>;
  const { totals } = view;
  return (
    <>
      <section class="card" aria-labelledby="totals-title">
        <h2 id="totals-title">
          RabbitMQ {view.version}, {view.cluster}
        </h2>
        <Facts
          facts={[
            ['Connections', count(totals.connections)],
            ['Channels', count(totals.channels)],
            ['Queues', count(totals.queues)],
            ['Consumers', count(totals.consumers)],
            ['Messages ready', count(totals.messagesReady)],
            ['Not acknowledged', count(totals.messagesUnacknowledged)],
            ['Published a second', count(totals.publishedPerSecond)],
            ['Delivered a second', count(totals.deliveredPerSecond)],
          ]}
        />
      </section>
      {view.queues.length > 0 && (
        <section class="card" aria-labelledby="queues-title">
          <h2 id="queues-title">Queues of the mesh, messages waiting</h2>
          <Facts facts={view.queues.map(({ name, messages }) => [name, count(messages)])} />
        </section>
      )}
      <section class="card" aria-labelledby="users-title">
        <h2 id="users-title">Connections by user</h2>
        <Facts
          facts={view.connections.map(({ user, count: all, blocked }) => [
            user,
            blocked === 0 ? count(all) : `${count(all)}, ${count(blocked)} blocked`,
          ])}
        />
      </section>
      {view.nodes.map((node) => (
        <BrokerNode key={node.name} node={node} />
      ))}
    </>
  );
}

function BrokerNode({ node }: { node: RabbitmqView['nodes'][number] }) {
  const alarms = [
    node.isRunning ? undefined : 'It is not running.',
    node.hasMemoryAlarm ? 'Memory alarm: publishers are blocked until memory is free.' : undefined,
    node.hasDiskAlarm ? 'Disk alarm: publishers are blocked until there is room on the disk.' : undefined,
  ].filter((alarm) => alarm !== undefined);
  return (
    <section class="card">
      <h2>{node.name}</h2>
      {alarms.map((alarm) => (
        <p key={alarm} class="trouble">
          {alarm}
        </p>
      ))}
      <Facts
        facts={[
          ['Memory', used(node.memoryUsedBytes, node.memoryLimitBytes, bytes, 'Memory')],
          ['Files and sockets', used(node.openFiles, node.openFilesLimit, count, 'Files and sockets')],
          ['Disk free', `${bytes(node.diskFreeBytes)} (alarm below ${bytes(node.diskFreeLimitBytes)})`],
          ['Up for', duration(node.uptimeMs)],
        ]}
      />
    </section>
  );
}

function used(part: number, whole: number, show: (n: number) => string, name: string): ComponentChildren {
  return (
    <>
      {show(part)} of {show(whole)}
      <meter max={Math.max(1, whole)} value={part} high={whole * 0.85} aria-label={name} />
    </>
  );
}
