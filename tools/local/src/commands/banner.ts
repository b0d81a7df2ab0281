import { existsSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { withoutPassword } from '../amqp-url.js';
import type { BrokerInUse } from '../broker/resolve.js';
import { cellMaps, type RunningCell } from '../cells.js';
import { environment } from '../environment.js';
import type { Member } from '../member.js';
import type { Mesh } from '../mesh.js';
import { root } from '../paths.js';

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

/** The same of several cells. */
export function bannerOfCells(cells: readonly RunningCell[], tookMs: number): string {
  const [first] = cells;
  const rows = cells.flatMap(({ name = '', broker, mesh }) => [
    `  ${name.padEnd(10)} ${broker.amqpUrl}  pid ${broker.own?.pid}`,
    ...mesh.members.map(
      (member) => `    ${member.name.padEnd(14)} ${member.opsUrl}/metrics  pid ${member.pid}`,
    ),
  ]);
  const gateway = first?.mesh.gatewayUrl;
  return [
    '',
    `${cells.length} cells of Evenkeel are up (${(tookMs / 1000).toFixed(1)} s); .evenkeel/run.json has their addresses.`,
    '',
    ...rows,
    '',
    'Try',
    `  curl -s '${gateway}/gateway?user=alice'      one gateway, which knows the cell of each user`,
    `  kill -HUP ${first?.mesh.gateway.pid}      after a change of ${relative(root, cellMaps.gateway)}: docs/scale.md`,
    'Ctrl-C stops everything.',
    '',
    '',
  ].join('\n');
}

function isOnPath(command: string): boolean {
  return (environment().PATH ?? '').split(delimiter).some((dir) => existsSync(join(dir, command)));
}
