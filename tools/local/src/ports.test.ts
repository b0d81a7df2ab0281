import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { claimPort } from './port-claim.js';
import { freePort, freePorts, portOr, requireFreePort } from './ports.js';

async function listen(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port, exclusive: true }, resolve);
  });
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
}

describe('free ports', () => {
  it('are distinct, also when asked for at the same time, and can be listened on', async () => {
    const ports = (await Promise.all([freePorts(20), freePorts(20)])).flat();
    expect(new Set(ports).size).toBe(40);
    for (const port of ports) await listen(port);
  });

  it('are none that something listens on', async () => {
    const free = await freePorts(12);
    const last = free.at(-1) ?? 0;
    // The next in turn; one may be somebody else's already.
    const taken = [last + 1, last + 2, last + 3].filter((port) => port < 32_000);
    for (const port of taken) await listen(port).catch(() => {});
    expect(taken).not.toContain(await freePort());
  });

  it('are none that another process was given, while it runs', async () => {
    const other = spawn(process.execPath, ['--eval', 'setTimeout(() => {}, 60_000)']);
    onTestFinished(() => void other.kill());
    // The next in turn.
    const port = (await freePort()) + 1;
    expect(claimPort(port, other.pid)).toBe(true);
    expect(claimPort(port)).toBe(false);
    expect(await freePorts(3)).not.toContain(port);
    other.kill();
    await once(other, 'exit');
    expect(claimPort(port)).toBe(true);
  });

  it('are none that the system gives to an outgoing connection by itself', async () => {
    for (const port of await freePorts(50)) expect(port).toBeLessThan(32_768);
  });
});

describe('a preferred port', () => {
  it('is taken when free, else the other one', async () => {
    const [preferred = 0, other = 0] = await freePorts(2);
    expect(await portOr(preferred, other)).toBe(preferred);
    await listen(preferred);
    expect(await portOr(preferred, other)).toBe(other);
    expect(await portOr(undefined, other)).toBe(other);
  });
});

describe('a port that is asked for', () => {
  it('is refused when taken, with what to do', async () => {
    const port = await freePort();
    await expect(requireFreePort(port, 'the gateway', '--port')).resolves.toBeUndefined();
    await listen(port);
    await expect(requireFreePort(port, 'the gateway', '--port')).rejects.toThrow(
      `Port ${port}, wanted for the gateway, is in use. Stop what listens there, or choose another port with --port.`,
    );
  });
});
