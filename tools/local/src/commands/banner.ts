import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { withoutPassword } from '../amqp-url.js';
import type { BrokerInUse } from '../broker/resolve.js';
import { environment } from '../environment.js';
import type { Mesh } from '../mesh.js';

/** What runs where, and what to try next. */
export function banner(mesh: Mesh, broker: BrokerInUse, canControl: boolean, tookMs: number): string {
  const rows = [
    ['gateway', mesh.gatewayUrl, mesh.gateway.pid],
    ...mesh.edges.map((edge) => [edge.node, edge.url, edge.pid]),
    ...mesh.balancers.map((balancer) => [balancer.name, `${balancer.opsUrl}/metrics`, balancer.pid]),
    ...(mesh.demo === undefined ? [] : [['demo', `${mesh.demo.opsUrl}/metrics`, mesh.demo.pid]]),
    ...(mesh.crowd === undefined ? [] : [['crowd', `${mesh.crowd.opsUrl}/status`, mesh.crowd.pid]]),
  ];
  const table = rows.map(
    ([name, url, pid]) => `  ${String(name).padEnd(10)} ${String(url).padEnd(40)} pid ${pid}`,
  );
  // A private broker's password is nobody's secret, and the commands below need it.
  const amqpUrl = broker.own === undefined ? withoutPassword(broker.amqpUrl) : broker.amqpUrl;
  const event = `'{"text":"hello"}'`;
  const crowd = mesh.crowd === undefined ? '' : ', and a crowd of clients that the page shows';
  return [
    '',
    `Evenkeel is up (${(tookMs / 1000).toFixed(1)} s).`,
    '',
    ...table,
    `  ${'broker'.padEnd(10)} ${amqpUrl.padEnd(40)} ${broker.description}`,
    '',
    'Try',
    ...(mesh.demo === undefined
      ? []
      : [`  ${mesh.gatewayUrl}/?user=alice     in a browser: the nodes live${crowd}`]),
    `  curl -s '${mesh.gatewayUrl}/gateway?user=alice'`,
    `  npx evenkeel send alice ${event}`,
    ...(isOnPath('amqp-publish')
      ? [`  amqp-publish -u ${amqpUrl} -e mesh.events -r user.alice.hello -C application/json -b ${event}`]
      : []),
    '  npx evenkeel status',
    ...(canControl ? ['  npx evenkeel local add-edge'] : []),
    'Ctrl-C stops everything.',
    '',
    '',
  ].join('\n');
}

function isOnPath(command: string): boolean {
  return (environment().PATH ?? '').split(delimiter).some((dir) => existsSync(join(dir, command)));
}
