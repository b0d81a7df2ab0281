import { expect, it } from 'vitest';
import { Reporter, type ReporterOptions } from './reporter.js';

it('tells what became of the last moves when it is stopped within the time that it gathers reports', () => {
  const published: { key: string; body: string }[] = [];
  const options = {
    config: { node: 'edge-1' },
    boot: 'b',
    now: () => 1,
    publisher: {
      publish: async (_exchange: string, key: string, body: string) => void published.push({ key, body }),
    },
  } as unknown as ReporterOptions;
  const reporter = new Reporter(options);
  reporter.moved([
    {
      move: 'm',
      to: 'edge-2',
      asked: 1,
      sent: 1,
      done: 1,
      failed: 0,
      timedOut: 0,
      refused: 0,
      isFinal: true,
    },
  ]);
  reporter.stop();
  expect(published.map(({ key }) => key)).toEqual(['moves.edge-1']);
  expect(JSON.parse(published[0]?.body ?? '{}')).toMatchObject({ moves: [{ move: 'm', done: 1 }] });
});
