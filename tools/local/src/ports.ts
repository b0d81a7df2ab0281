import { createServer } from 'node:net';
import getPort from 'get-port';
import { Failure } from './failure.js';
import { claimPort } from './port-claim.js';

const host = '127.0.0.1';

/**
 * Where free ports are looked for: below those that systems give to outgoing connections. One of these would be taken now
 * and then between our look and the service's start, or while a service is down that comes back to its port.
 */
const lowest = 20_000;
const highest = 31_999;
let next = lowest + Math.floor(Math.random() * (highest - lowest + 1));

/** `count` distinct ports of 127.0.0.1 that are free now, and that no process that still runs was given. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tried = 0; ports.length < count; tried += 1) {
    const port = await getPort({ host, port: inTurn() });
    // With none of them free it takes any.
    if (port < lowest || port > highest || tried > highest - lowest) {
      throw new Failure(
        'port-busy',
        `Too few free ports from ${lowest} to ${highest}. Stop what listens there.`,
      );
    }
    if (claimPort(port)) ports.push(port);
  }
  return ports;
}

function* inTurn(): Generator<number> {
  for (let tried = lowest; tried <= highest; tried += 1) {
    const port = next;
    next = port === highest ? lowest : port + 1;
    yield port;
  }
}

/** One port that is free now. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** `preferred` if it is free now, else `other`. */
export async function portOr(preferred: number | undefined, other: number): Promise<number> {
  return preferred !== undefined && (await isFree(preferred)) ? preferred : other;
}

async function isFree(port: number): Promise<boolean> {
  try {
    await tryPort(port);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
}

/** Fails, naming the flag that changes it, when something listens on the port already. */
export async function requireFreePort(port: number, purpose: string, flag: string): Promise<void> {
  try {
    await tryPort(port);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const problem = code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${code})`;
    const advice = `Stop what listens there, or choose another port with ${flag}.`;
    throw new Failure('port-busy', `Port ${port}, wanted for ${purpose}, ${problem}. ${advice}`, { cause });
  }
}

/** Listens on the port for a moment. @throws Error of the system when that is not possible. */
function tryPort(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()));
  });
}
