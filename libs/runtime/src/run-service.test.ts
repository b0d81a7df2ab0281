import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';

/** The built package: what a service runs. */
const entry = new URL('../dist/index.js', import.meta.url).href;

function service(body: string): ChildProcess {
  const source = `import { runService } from ${JSON.stringify(entry)};
    const say = (word) => process.stdout.write(word + '\\n');
    await runService({ name: 'probe', stopTimeoutMs: 300, start: async ({ lifecycle }) => { ${body} } });
    say('ready');`;
  const args = ['--input-type=module', '--eval', source];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

function outcome(child: ChildProcess, onWord: (word: string) => void = () => {}) {
  const words: string[] = [];
  child.stdout?.on('data', (chunk: Buffer) => {
    for (const word of chunk.toString().split('\n')) {
      if (word === '' || word.startsWith('{')) continue;
      words.push(word);
      onWord(word);
    }
  });
  return new Promise<{ code: number | null; words: string[] }>((resolve) => {
    // The close event does not come once the IPC channel was closed from this side.
    child.on('exit', async (code) => {
      if (child.stdout && !child.stdout.readableEnded) await once(child.stdout, 'end');
      resolve({ code, words });
    });
  });
}

const STEP = `lifecycle.add('step', { stop: () => say('stopped') }); setInterval(() => {}, 1000);`;

describe('runService', () => {
  it('exits with 0 after SIGTERM, having stopped', async () => {
    const child = service(STEP);
    const ended = await outcome(child, (word) => word === 'ready' && child.kill('SIGTERM'));
    expect(ended).toEqual({ code: 0, words: ['ready', 'stopped'] });
  });

  it('stops when its parent disconnects', async () => {
    const child = service(STEP);
    const ended = await outcome(child, (word) => word === 'ready' && child.disconnect());
    expect(ended).toEqual({ code: 0, words: ['ready', 'stopped'] });
  });

  it('stops when its parent has died and nobody reads its output', async () => {
    const child = service(STEP);
    const ended = once(child, 'exit');
    child.stdout?.on('data', (chunk: Buffer) => {
      if (!chunk.toString().split('\n').includes('ready')) return;
      child.stdout?.destroy();
      child.disconnect();
    });
    expect(await ended).toEqual([0, null]);
  });

  it('exits with 1 when a step fails to start, having stopped the others', async () => {
    const child = service(`${STEP} lifecycle.add('bad', { start: () => { throw new Error('no') } });`);
    expect(await outcome(child)).toEqual({ code: 1, words: ['stopped'] });
  });

  it('exits with 1 after an uncaught error, having stopped', async () => {
    const child = service(`${STEP} setTimeout(() => { throw new Error('late') }, 50);`);
    expect(await outcome(child)).toMatchObject({ code: 1, words: expect.arrayContaining(['stopped']) });
  });

  it('exits with 2 when a step does not stop in time', async () => {
    const child = service(`${STEP} lifecycle.add('hangs', { stop: () => new Promise(() => {}) });`);
    const ended = await outcome(child, (word) => word === 'ready' && child.kill('SIGTERM'));
    expect(ended).toEqual({ code: 2, words: ['ready', 'stopped'] });
  });

  it('exits at once on a second signal', async () => {
    const child = service(
      `${STEP} lifecycle.add('hangs', { stop: () => { say('hanging'); return new Promise(() => {}); } });`,
    );
    const ended = await outcome(child, (word) => {
      if (word === 'ready') child.kill('SIGTERM');
      if (word === 'hanging') child.kill('SIGINT');
    });
    expect(ended).toEqual({ code: 2, words: ['ready', 'hanging'] });
  });
});
