import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';

const folder = new URL('..', import.meta.url);

interface Probe {
  readonly child: ChildProcess;
  /** Settles at the end of the process. */
  readonly ended: Promise<{ code: number | null; words: string[]; log: string[]; complaints: string }>;
}

/**
 * Runs a service of the built package that is built by `body` and says `ready` with its last step. What it says beside
 * its log are its words.
 */
function service(
  body: string,
  onWord: (word: string, child: ChildProcess) => void = () => {},
  env = {},
): Probe {
  const source = `import { commonSettings, runService, setting } from './dist/index.js';
    import { z } from 'zod';
    const say = (word) => process.stdout.write(word + '\\n');
    const config = z.object({ ...commonSettings, url: setting.url('ws:').optional() });
    await runService({ name: 'probe', config, build: (config, { lifecycle, ops }) => {
      ${body}
      lifecycle.add('last', { start: () => say('ready') });
    } });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const words: string[] = [];
  const log: string[] = [];
  let complaints = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaints += chunk;
  });
  child.stdout?.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().split('\n')) {
      if (line === '') continue;
      if (line.startsWith('{')) {
        log.push(line);
        continue;
      }
      words.push(line);
      onWord(line, child);
    }
  });
  const ended = new Promise<Awaited<Probe['ended']>>((resolve) => {
    // The close event does not come once the IPC channel was closed from this side.
    child.on('exit', async (code) => {
      for (const stream of [child.stdout, child.stderr]) {
        if (stream && !stream.readableEnded && !stream.destroyed) await once(stream, 'end');
      }
      resolve({ code, words, log, complaints });
    });
  });
  return { child, ended };
}

const terminateWhenReady = (word: string, child: ChildProcess) => {
  if (word === 'ready') child.kill('SIGTERM');
};

const STEP = `lifecycle.add('step', { stop: () => say('stopped') });`;

describe('runService', () => {
  it('exits with 0 after SIGTERM, having stopped', async () => {
    const { ended } = service(STEP, terminateWhenReady);
    expect(await ended).toMatchObject({ code: 0, words: ['ready', 'stopped'], complaints: '' });
  });

  it('stops when its parent disconnects', async () => {
    const { ended } = service(STEP, (word, child) => word === 'ready' && child.disconnect());
    expect(await ended).toMatchObject({ code: 0, words: ['ready', 'stopped'] });
  });

  it('stops when its parent has died and nobody reads its output', async () => {
    const { child } = service(STEP, (word, child) => {
      if (word !== 'ready') return;
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.disconnect();
    });
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('exits with 1 when a step fails to start, having stopped the others', async () => {
    const { ended } = service(`${STEP} lifecycle.add('bad', { start: () => { throw new Error('no') } });`);
    expect(await ended).toMatchObject({ code: 1, words: ['stopped'] });
  });

  it('exits with 1 when it cannot be built', async () => {
    const { ended } = service(`throw new Error('no');`);
    expect(await ended).toMatchObject({ code: 1, words: [] });
  });

  it('exits with 1 after an uncaught error, having stopped', async () => {
    const { ended } = service(`${STEP} setTimeout(() => { throw new Error('late') }, 50);`);
    expect(await ended).toMatchObject({ code: 1, words: expect.arrayContaining(['stopped']) });
  });

  it('exits with 2 when a step does not stop in time', async () => {
    const hangs = `lifecycle.add('hangs', { stop: () => new Promise(() => {}), stopTimeoutMs: 300 });`;
    const { ended } = service(STEP + hangs, terminateWhenReady);
    expect(await ended).toMatchObject({ code: 2, words: ['ready', 'stopped'] });
  });

  it('exits at once on a second signal', async () => {
    const hangs = `lifecycle.add('hangs', { stop: () => { say('hanging'); return new Promise(() => {}); } });`;
    const { ended } = service(STEP + hangs, (word, child) => {
      if (word === 'ready') child.kill('SIGTERM');
      if (word === 'hanging') child.kill('SIGINT');
    });
    expect(await ended).toMatchObject({ code: 2, words: ['ready', 'hanging'] });
  });

  it('says while a step waits that it lives, and which one is not ready', async () => {
    const waits = `lifecycle.add('broker', { start: () => new Promise(async () => {
      const { port } = ops;
      for (const path of ['/healthz', '/readyz']) {
        const answer = await fetch('http://127.0.0.1:' + port + path);
        say(answer.status + ' ' + (await answer.text()).trim());
      }
      say('asked');
    }) });`;
    const { ended } = service(waits, (word, child) => word === 'asked' && child.kill('SIGTERM'));
    expect(await ended).toMatchObject({
      code: 0,
      words: ['200 {"alive":true}', '503 {"ready":false,"checks":{"started":"starting: broker"}}', 'asked'],
    });
  });

  it('refuses a wrong setting with one line on standard error and nothing else', async () => {
    const env = { EVENKEEL_URL: 'http://x', EVENKEEL_LOG_LEVEL: 'loud' };
    const { ended } = service(STEP, undefined, env);
    expect(await ended).toEqual({
      code: 1,
      words: [],
      log: [],
      complaints: [
        'EVENKEEL_LOG_LEVEL is "loud"; it takes fatal, error, warn, info, debug, trace or silent (the least level that is logged)\n',
        'EVENKEEL_URL is "http://x"; it takes a URL that begins with ws://\n',
      ].join(''),
    });
  });

  it('warns once of a variable that nothing knows, and goes on', async () => {
    const { ended } = service(STEP, terminateWhenReady, { EVENKEEL_CAPACTY: '1' });
    const { code, log } = await ended;
    expect(code).toBe(0);
    expect(
      log.filter((line) => line.includes('"level":"warn"')).map((line) => JSON.parse(line)),
    ).toMatchObject([{ variable: 'EVENKEEL_CAPACTY', didYouMean: 'EVENKEEL_CAPACITY' }]);
  });
});
