import { freePort, portOr } from '../ports.js';
import type { RunFile } from '../run-file.js';

/** The ports that the documents print. */
const printed = { broker: 5672, gateway: 8080, firstEdge: 8101, console: 8090, api: 8070 } as const;

/** Ports of this run: those that are printed, or others where one is taken. */
export interface Addresses {
  readonly broker: number;
  readonly gateway: number;
  readonly firstEdge: number;
  readonly console: number;
  readonly api: number;
}

/** The flags that have `npm start` listen where the documents say, or on free ports where one is taken. */
export async function portFlags(): Promise<string[]> {
  const gateway = await portOr(printed.gateway, await freePort());
  const ofConsole = await portOr(printed.console, await freePort());
  const ofApi = await portOr(printed.api, await freePort());
  const edges = await firstOfTwo();
  return [
    '--port',
    `${gateway}`,
    '--edge-port',
    `${edges}`,
    '--console-port',
    `${ofConsole}`,
    '--api-port',
    `${ofApi}`,
  ];
}

/** Where a running mesh listens. */
export function addressesOf({ amqpUrl, gateway, edges, console: ofConsole, api }: RunFile): Addresses {
  const port = (url = ''): number => Number(new URL(url).port);
  return {
    broker: port(amqpUrl),
    gateway: port(gateway),
    firstEdge: port(edges[0]?.url),
    console: port(ofConsole ?? undefined),
    api: port(api?.url),
  };
}

/** The first of two neighbouring free ports, one for each edge. */
async function firstOfTwo(): Promise<number> {
  let first: number = printed.firstEdge;
  for (;;) {
    const isFree = async (port: number) => (await portOr(port, -1)) === port;
    if ((await isFree(first)) && (await isFree(first + 1))) return first;
    first = await freePort();
  }
}

/** What is said of ports that are taken; undefined when none is. */
export function explain(addresses: Addresses): string | undefined {
  const changed = (['broker', 'gateway', 'firstEdge', 'console', 'api'] as const)
    .filter((what) => addresses[what] !== printed[what])
    .map((what) => `${printed[what]} (here ${addresses[what]})`);
  if (changed.length === 0) return undefined;
  return `Taken by something else: port ${changed.join(', ')}. The printed addresses are read with the ports in brackets.`;
}

/** A text of the documents with the addresses of this run in place of those that are printed. */
export function readdress(text: string, { broker, gateway, console: ofConsole, api }: Addresses): string {
  return text
    .replaceAll(/\b(127\.0\.0\.1|localhost):8080\b/g, `$1:${gateway}`)
    .replaceAll(/\b(127\.0\.0\.1|localhost):8090\b/g, `$1:${ofConsole}`)
    .replaceAll(/\b(127\.0\.0\.1|localhost):8070\b/g, `$1:${api}`)
    .replaceAll(
      /(amqps?:\/\/(?:[^@\s'"/]*@)?(?:127\.0\.0\.1|localhost))(?::5672)?(?![:\d])/g,
      `$1:${broker}`,
    );
}
