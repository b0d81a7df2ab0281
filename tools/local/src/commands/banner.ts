import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { withoutPassword } from '../amqp-url.js';
import type { BrokerInUse } from '../broker/resolve.js';
import { environment } from '../environment.js';
import type { Member } from '../member.js';
import type { Mesh } from '../mesh.js';

/** What runs where, and what to try next. In development mode clients need no token, and edges come and go on request. */
export function banner(mesh: Mesh, broker: BrokerInUse, isDevelopment: boolean, tookMs: number): string {
  const urls = new Map<Member, string>([
    [mesh.gateway, mesh.gatewayUrl],
    ...(mesh.console && mesh.consoleUrl ? [[mesh.console, mesh.consoleUrl] as const] : []),
    ...(mesh.api && mesh.apiAddress ? [[mesh.api, mesh.apiAddress.url] as const] : []),
    ...mesh.edges.map((edge) => [edge, edge.url] as const),
  ]);
  const table = mesh.members.map((member) => {
    const url = (urls.get(member) ?? '').padEnd(25);
    return `  ${member.name.padEnd(10)} ${url} ${member.opsUrl}/metrics  pid ${member.pid}`;
  });
  // The password of a private broker's administrator is nobody's secret: it answers on loopback alone.
  const amqpUrl = broker.own === undefined ? withoutPassword(broker.amqpUrl) : broker.amqpUrl;
  const event = `'{"text":"hello"}'`;
  const crowd = mesh.crowd === undefined ? '' : ', and a crowd of clients that the page shows';
  return [
    '',
    `Evenkeel is up (${(tookMs / 1000).toFixed(1)} s).`,
    '',
    ...table,
    `  ${'broker'.padEnd(10)} ${amqpUrl}  ${broker.description}`,
    '',
    'Try',
    ...(mesh.demo === undefined || !isDevelopment
      ? []
      : [`  ${mesh.gatewayUrl}/?user=alice     in a browser: the nodes live${crowd}`]),
    ...(mesh.consoleUrl === undefined || !isDevelopment
      ? []
      : [`  ${mesh.consoleUrl}/     the console: see it, drain, rebalance`]),
    isDevelopment
      ? `  curl -s '${mesh.gatewayUrl}/gateway?user=alice'`
      : `  curl -s -H "authorization: Bearer $TOKEN" ${mesh.gatewayUrl}/gateway`,
    `  npx evenkeel send alice ${event}`,
    ...(isOnPath('amqp-publish')
      ? [
          '  export $(npx evenkeel env)',
          `  amqp-publish -u "$EVENKEEL_APP_AMQP_URL" -e mesh.events -r user.alice.hello -C application/json -b ${event}`,
        ]
      : []),
    ...(mesh.apiAddress === undefined
      ? []
      : [
          `  ${mesh.apiAddress.url}/     the HTTP API: what it takes, and a page to try it; its key is in .evenkeel/run.json`,
        ]),
    '  npx evenkeel status',
    ...(isDevelopment ? ['  npx evenkeel local add-edge'] : []),
    'Ctrl-C stops everything.',
    '',
    '',
  ].join('\n');
}

function isOnPath(command: string): boolean {
  return (environment().PATH ?? '').split(delimiter).some((dir) => existsSync(join(dir, command)));
}
