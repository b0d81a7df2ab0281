import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Status } from '@evenkeel/client';
import { freePorts, type RunFile } from '@evenkeel/local';
import { CellMap, createPublisher } from '@evenkeel/publisher';
import { expect, it, onTestFinished, vi } from 'vitest';
import { launch, runEvenkeel } from '../support/npm-start.js';

it('npm start -- --cells 2: two brokers, one gateway; one broker killed, and a user sent to the other cell', async () => {
  const [port, edgePort] = await freePorts(2);
  const started = launch(
    {},
    '--cells',
    '2',
    '--edges',
    '1',
    '--port',
    `${port}`,
    '--edge-port',
    `${edgePort}`,
  );
  onTestFinished(started.end);
  await vi.waitFor(() => expect(started.text()).toContain('cells of Evenkeel are up'), {
    timeout: 240_000,
    interval: 100,
  });
  const run = JSON.parse(readFileSync(started.runFile, 'utf8')) as RunFile;
  expect(run.cells?.all.map(({ name, edges }) => [name, edges])).toEqual([
    ['north', ['north-edge-1']],
    ['south', ['south-edge-1']],
  ]);
  const { map: mapFile, appMap, all } = run.cells ?? { map: '', appMap: '', all: [] };
  const cells = new CellMap(readFileSync(appMap, 'utf8'));
  const publisher = await createPublisher({ cells, name: 'shop' });
  onTestFinished(() => publisher.close());

  const userIn = (cell: string): string => {
    const user = Array.from({ length: 100 }, (_, n) => `user-${n}`).find(
      (each) => cells.of(each)[0] === cell,
    );
    return user ?? '';
  };
  const client = async (user: string) => {
    const made = connect({ gateway: run.gateway, user, storage: false });
    onTestFinished(() => made.close());
    const events: unknown[] = [];
    const gaps: unknown[] = [];
    made.onStatus(
      (status: Status) => status.type === 'gap' && status.topic === undefined && gaps.push(status.reason),
    );
    made.on('n', ({ data }) => void events.push(data));
    await made.subscribe('news', ({ data }) => void events.push(data));
    await made.ready();
    return { user, events, gaps };
  };
  const north = await client(userIn('north'));
  const south = await client(userIn('south'));
  await publisher.toUsers([north.user, south.user], 'n', 1);
  await publisher.toTopic('news', 2);
  for (const { events } of [north, south]) await expect.poll(() => [...events].sort()).toEqual([1, 2]);

  // One broker dies: the other cell goes on as if nothing had happened.
  process.kill(all[1]?.brokerPid ?? 0, 'SIGKILL');
  const lost = publisher.toUser(south.user, 'n', 'behind the loss');
  for (let n = 10; n < 20; n++) {
    const beganMs = performance.now();
    expect(await publisher.toUser(north.user, 'n', n)).toMatchObject({ routed: true });
    expect(performance.now() - beganMs).toBeLessThan(2_000);
  }
  await expect.poll(() => north.events.at(-1)).toBe(19);
  expect(north.gaps).toEqual([]);
  expect((await fetch(`${run.gateway}/gateway?user=${north.user}`)).status).toBe(200);
  const readiness = await fetch(`${run.gatewayOpsUrl}/readyz`);
  expect(readiness.status).toBe(200);
  // npm start brings it back, and its users with it.
  await lost;
  await expect.poll(() => south.events.at(-1), { timeout: 60_000 }).toBe('behind the loss');

  // A user is sent to the other cell: publishers first, then the gateway, then the user.
  const moved = (file: string, place: object | string): string => {
    const map = JSON.parse(readFileSync(file, 'utf8')) as object;
    const text = JSON.stringify({ ...map, users: { [north.user]: place } });
    writeFileSync(file, text);
    return text;
  };
  cells.update(moved(appMap, { cell: 'south', was: 'north' }));
  moved(mapFile, { cell: 'south', was: 'north' });
  process.kill(run.gatewayPid ?? 0, 'SIGHUP');
  const node = async (): Promise<string> => {
    const response = await fetch(`${run.gateway}/gateway?user=${north.user}`);
    return ((await response.json()) as { node: string }).node;
  };
  await vi.waitFor(async () => expect(await node()).toBe('south-edge-1'), { timeout: 10_000, interval: 250 });
  const sent = await runEvenkeel(['send-back', north.user, '--amqp-url', all[0]?.operatorAmqpUrl ?? '']);
  expect(sent).toMatchObject({ status: 0, out: expect.stringContaining('1 session sent back') });
  await expect.poll(() => north.gaps, { timeout: 60_000 }).toEqual(['session-expired']);
  await publisher.toUser(north.user, 'n', 'in the south');
  await expect.poll(() => north.events.at(-1)).toBe('in the south');
  // The old one counts for 2 s more.
  await expect
    .poll(async () => (await publisher.online(north.user)).sessions)
    .toMatchObject([{ node: 'south-edge-1' }]);
}, 480_000);
