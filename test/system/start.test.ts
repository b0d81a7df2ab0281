import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { freePort, isRunning, type RunFile } from '@evenkeel/local';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { freshVhost } from '../support/broker.js';
import { cli, freePortFlags, type Launched, launch, start, startIn } from '../support/npm-start.js';

interface Running extends Launched {
  readonly run: RunFile;
}

/** Runs one edge of everything, and waits for it. */
async function launchMesh(given: Record<string, string>, ...flags: string[]): Promise<Running> {
  const { amqpUrl } = await freshVhost();
  const ports = await freePortFlags();
  const started = launch(given, '--edges', '1', '--no-demo', '--amqp-url', amqpUrl, ...ports, ...flags);
  await vi.waitFor(() => expect(started.text()).toContain('Evenkeel is up'), {
    timeout: 60_000,
    interval: 50,
  });
  return { ...started, run: JSON.parse(readFileSync(started.runFile, 'utf8')) as RunFile };
}

async function startMesh(): Promise<Running> {
  const running = await launchMesh({});
  onTestFinished(running.end);
  return running;
}

function pidsOf(run: RunFile): (number | null)[] {
  const others = [run.balancer, run.crowd].flatMap((each) => (each === null ? [] : [each.pid]));
  return [run.gatewayPid, run.consolePid, run.apiPid, ...run.edges.map((edge) => edge.pid), ...others];
}

/** Runs `evenkeel local …` in a folder; its last word on standard output is JSON. */
async function local(
  folder: string,
  ...args: string[]
): Promise<{ status: number | null; answer: { node?: string; error?: { code: string } } }> {
  const child = spawn(process.execPath, [cli, 'local', ...args, '--json'], { cwd: folder });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, answer: JSON.parse(text) };
}

const isAlive = (pid: number | null): boolean => pid !== null && isRunning(pid);

describe('npm start', () => {
  it('says what it tried and what to do when the broker does not answer, never the password', async () => {
    const { text, exitCode } = start(
      ...['--amqp-url', 'amqp://guest:s3cret@127.0.0.1:1'],
      ...(await freePortFlags()),
    );
    expect(await exitCode).toBe(1);
    expect(text()).toContain('127.0.0.1:1');
    expect(text()).toContain('--amqp-url');
    expect(text()).not.toContain('s3cret');
  });

  it('names a busy port and the flag that changes it', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { text, exitCode } = start('--port', String(port));
    expect(await exitCode).toBe(1);
    expect(text()).toMatch(new RegExp(`Port ${port}\\b.*--port`, 's'));
  });

  it('refuses a flag it does not know', async () => {
    const { text, exitCode } = start('--egdes', '3');
    expect(await exitCode).toBe(2);
    expect(text()).toContain('--egdes');
  });

  it('refuses a crowd above its limit in one sentence', async () => {
    const { text, exitCode } = startIn({}, '--crowd', '1001');
    await expect(exitCode).resolves.toBe(2);
    expect(text()).toContain('--crowd takes at most 1000 clients: they share one process and this machine.');
  });

  it('has a crowd in development mode alone', async () => {
    const { text, exitCode } = startIn({ EVENKEEL_AUTH: 'jwt' }, '--crowd', '5');
    expect(await exitCode).toBe(2);
    expect(text()).toContain('--crowd needs EVENKEEL_AUTH=dev');
  });

  it('starts nothing again when it is interrupted while it starts', async () => {
    const { amqpUrl } = await freshVhost();
    const { child, text, exitCode } = start(
      '--edges',
      '2',
      '--amqp-url',
      amqpUrl,
      ...(await freePortFlags()),
    );
    // Some are ready, others are not.
    await vi.waitFor(() => expect(text()).toMatch(/ ready\b/), { timeout: 60_000, interval: 5 });
    child.kill('SIGINT');
    expect(await exitCode).toBe(0);
    expect(text()).not.toContain('Starting it again');
  });

  it('stops, and ends every process, when all edges are frozen', async () => {
    const { child, run, exitCode } = await startMesh();
    for (const edge of run.edges) process.kill(edge.pid as number, 'SIGSTOP');
    child.kill('SIGTERM');
    await exitCode;
    expect(pidsOf(run).filter(isAlive)).toEqual([]);
  });

  it('leaves nothing behind when it is killed itself', async () => {
    const { child, run, runFile } = await startMesh();
    child.kill('SIGKILL');
    await vi.waitFor(
      () => {
        expect(pidsOf(run).filter(isAlive)).toEqual([]);
        expect(existsSync(runFile)).toBe(false);
      },
      { timeout: 30_000 },
    );
  });
});

describe('a mesh that npm start runs', () => {
  let running: Running;
  let portOfTheShell: number;
  /** What run.json says by now. */
  const now = (): RunFile => JSON.parse(readFileSync(running.runFile, 'utf8')) as RunFile;
  const pidOf = (node: string): number | null => now().edges.find((edge) => edge.node === node)?.pid ?? null;

  beforeAll(async () => {
    portOfTheShell = await freePort();
    const shell = {
      EVENKEEL_PORT: String(portOfTheShell),
      EVENKEEL_NODE: 'x',
      EVENKEEL_CAPACITY: '77',
      EVENKEEL_CAPACTY: '1',
    };
    running = await launchMesh(shell, '--crowd', '3');
    return running.end;
  });

  it('says in run.json what runs where', async () => {
    const { child, run } = running;
    expect(run.pid).toBe(child.pid);
    expect((await fetch(`${run.gateway}/gateway?user=alice`)).status).toBe(200);
    const view = await fetch(`${run.console}/api/view`);
    expect(await view.json()).toMatchObject({ me: { name: 'developer', role: 'operate' } });
    expect(pidsOf(run).every(isAlive)).toBe(true);
    await vi.waitFor(
      async () => {
        const response = await fetch(`${run.gateway}/crowd.json`);
        expect(await response.json()).toMatchObject({ clients: 3, lost: 0, canControl: true });
      },
      { timeout: 30_000, interval: 100 },
    );
  });

  it('gives a variable of the shell to the services that have it, and none that says which process is which', async () => {
    const { run, text } = running;
    expect(new URL(run.gateway).port).not.toBe(String(portOfTheShell));
    expect(run.edges.map((edge) => edge.node)).toEqual(['edge-1']);
    const status = (await (await fetch(`${run.edges[0]?.opsUrl}/status`)).json()) as { capacity: number };
    expect(status.capacity).toBe(77);
    expect(text()).toContain('npm start sets it itself: EVENKEEL_PORT, EVENKEEL_NODE.');
    expect(text().match(/EVENKEEL_CAPACTY.*/g)).toEqual([
      'EVENKEEL_CAPACTY, it is ignored. Did you mean EVENKEEL_CAPACITY?',
    ]);
  });

  it('says in its banner where the metrics of every service are', async () => {
    const { run, text } = running;
    const addresses = [...text().matchAll(/http:\S+\/metrics/g)].map(([address]) => address);
    expect(addresses).toEqual([
      `${run.gatewayOpsUrl}/metrics`,
      `${run.edges[0]?.opsUrl}/metrics`,
      `${run.balancer?.opsUrl}/metrics`,
      `${run.consoleOpsUrl}/metrics`,
      `${run.apiOpsUrl}/metrics`,
      `${run.crowd?.opsUrl}/metrics`,
    ]);
    for (const address of addresses) expect((await fetch(address)).status).toBe(200);
  });

  it('takes requests from nobody without the token of run.json', async () => {
    const { run } = running;
    const url = `${run.control?.url}/kill-edge?node=edge-1`;
    for (const authorization of ['', 'Bearer x', `Bearer ${'x'.repeat(43)}`]) {
      const response = await fetch(url, { method: 'POST', headers: { authorization } });
      expect(response.status).toBe(401);
    }
    expect(pidsOf(run).every(isAlive)).toBe(true);
  });

  it('refuses a second start, and ignores what a dead one left behind', async () => {
    const { run, runFile } = running;
    const second = start();
    writeFileSync(second.runFile, JSON.stringify(run));
    expect(await second.exitCode).toBe(1);
    expect(second.text()).toContain(`pid ${run.pid}`);

    const third = start('--amqp-url', 'amqp://guest@127.0.0.1:1', ...(await freePortFlags()));
    writeFileSync(third.runFile, JSON.stringify({ ...run, pid: 2 ** 22 + 1 }));
    await third.exitCode;
    expect(third.text()).not.toContain('runs here already');
    expect(existsSync(runFile)).toBe(true);
  });

  it('starts an edge again that has died, and writes down its new process id', async () => {
    const before = pidOf('edge-1');
    process.kill(before as number, 'SIGKILL');
    await vi.waitFor(
      () => {
        expect(pidOf('edge-1')).not.toBe(before);
        expect(isAlive(pidOf('edge-1'))).toBe(true);
      },
      { timeout: 15_000, interval: 100 },
    );
  });

  it('adds, kills and stops edges on request, and keeps run.json true', async () => {
    const { folder } = running;
    const edges = () => now().edges;
    expect(await local(folder, 'stop-edge')).toMatchObject({
      status: 1,
      answer: { ok: false, error: { code: 'last-edge' } },
    });
    expect(await local(folder, 'add-edge')).toMatchObject({ status: 0, answer: { node: 'edge-2' } });
    expect(edges().map((edge) => edge.node)).toEqual(['edge-1', 'edge-2']);
    expect(isAlive(pidOf('edge-2'))).toBe(true);

    const before = pidOf('edge-1');
    expect(await local(folder, 'kill-edge', 'edge-1')).toMatchObject({ status: 0 });
    expect(isAlive(before)).toBe(false);
    await vi.waitFor(() => expect(isAlive(pidOf('edge-1'))).toBe(true), { timeout: 30_000, interval: 100 });
    expect(pidOf('edge-1')).not.toBe(before);

    expect(await local(folder, 'stop-edge')).toMatchObject({ status: 0, answer: { node: 'edge-2' } });
    expect(edges().map((edge) => edge.node)).toEqual(['edge-1']);
    expect(await local(folder, 'kill-edge', 'edge-9')).toMatchObject({
      answer: { error: { code: 'unknown-node' } },
    });
  });

  it('takes the file and every process with it on SIGTERM', async () => {
    const { child, runFile, exitCode } = running;
    const pids = pidsOf(now());
    child.kill('SIGTERM');
    expect(await exitCode).toBe(0);
    expect(existsSync(runFile)).toBe(false);
    expect(pids.filter(isAlive)).toEqual([]);
  });
});
