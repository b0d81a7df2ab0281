import { createServer } from 'node:net';
import { Failure } from './failure.js';

const host = '127.0.0.1';

/** `count` distinct ports that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  const held = await Promise.all(Array.from({ length: count }, () => hold(0)));
  await Promise.all(held.map((entry) => entry.release()));
  return held.map((entry) => entry.port);
}

/** One port that is free now. */
export async function freePort(): Promise<number> {
  const entry = await hold(0);
  await entry.release();
  return entry.port;
}

/** Fails, naming the flag that changes it, when something listens on the port already. */
export async function requireFreePort(port: number, purpose: string, flag: string): Promise<void> {
  try {
    const entry = await hold(port);
    await entry.release();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const problem = code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${code})`;
    const advice = `Stop what listens there, or choose another port with ${flag}.`;
    throw new Failure('port-busy', `Port ${port}, wanted for ${purpose}, ${problem}. ${advice}`, { cause });
  }
}

function hold(port: number): Promise<{ port: number; release(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return reject(new Error('no TCP address'));
      resolve({ port: address.port, release: () => new Promise((done) => server.close(() => done())) });
    });
  });
}
