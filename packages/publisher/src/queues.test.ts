import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { differs, World } from '../testing/service-world.js';
import { queueName, type Served } from './queues.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const requests: Served = { kind: 'request', pattern: 'shop.x' };
const publishes: Served = { kind: 'publish', pattern: 'shop.x' };

describe('the queue of a service', () => {
  const queue = 'service.shop.publish:shop.x';

  it.each([
    [{}, '{"x-expires":300000}'],
    [{ graceMs: 1_000 }, '{"x-expires":1000}'],
    [{ graceMs: Number.POSITIVE_INFINITY }, '{}'],
    [{ durable: true }, '{}'],
    [{ graceMs: 0 }, 'auto-delete'],
  ])('with %j is kept as it says', async (options, declared) => {
    const world = new World();
    await world.start(publishes, () => {}, options);
    expect(world.calls).toEqual([
      `declare ${queue} ${declared}`,
      `bind ${queue} mesh.inbound shop.x`,
      `consume ${queue}`,
    ]);
  });

  it('of requests comes after the mark of whose the method is', async () => {
    const world = new World();
    await world.start(requests, () => 1);
    const mark = 'service.shop.method:shop.x';
    expect(world.calls).toEqual([
      `declare ${mark} {"x-expires":60000,"x-dead-letter-exchange":"service.shop.owner:shop"}`,
      `consume ${mark}`,
      expect.stringContaining('declare service.shop.shop.x'),
      expect.stringContaining('bind'),
      'consume service.shop.shop.x',
    ]);
  });

  it('is not made for a method that another service serves, which is named', async () => {
    const world = new World();
    const refusal = differs(
      'x-dead-letter-exchange',
      "the value 'service.shop.owner:till' of type 'longstr'",
    );
    world.refusals.set('service.shop.method:shop.x', [refusal]);
    await expect(world.start(requests, () => 1)).rejects.toMatchObject({
      code: 'method-taken',
      message: expect.stringContaining('the service "till"'),
    });
    expect(world.calls).toEqual([]);
  });

  it('with other settings is refused, with what to do', async () => {
    const world = new World();
    world.refusals.set(queue, [differs('x-expires', 'none')]);
    await expect(world.start(publishes, () => {})).rejects.toMatchObject({
      code: 'queue-differs',
      message: expect.stringMatching(
        /with the same graceMs; to change it.*delete_queue 'service\.shop\.publish:shop\.x' --if-empty/,
      ),
    });
  });

  it('of an earlier version is replaced at once where it is empty', async () => {
    const world = new World();
    world.refusals.set(queue, [differs('auto_delete', "'true'")]);
    await world.start(publishes, () => {});
    expect(world.calls[0]).toBe(`replace ${queue} {"x-expires":300000}`);
    expect(world.logged).toEqual([]);
  });

  it('of an earlier version is shared until it is empty and nothing of it is in hand, and then replaced', async () => {
    const world = new World();
    world.refusals.set(queue, [differs('auto_delete', "'true'")]);
    world.isEmpty = false;
    const service = await world.start(publishes, () => new Promise((resolve) => setTimeout(resolve, 1_500)));
    expect(world.calls).toEqual([`bind ${queue} mesh.inbound shop.x`, `consume ${queue}`]);
    expect(world.logged).toMatchObject([
      { level: 'warn', message: expect.stringMatching(/graceMs 0, or of an earlier version.*same graceMs/) },
    ]);
    world.deliver('1');
    world.isEmpty = true;
    await vi.advanceTimersByTimeAsync(1_400);
    expect(world.calls).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(world.calls.slice(2)).toEqual([
      `replace ${queue} {"x-expires":300000}`,
      `bind ${queue} mesh.inbound shop.x`,
    ]);
    await service.stop();
  });

  it('of an earlier version is not replaced while another instance consumes it, which may have messages in hand', async () => {
    const world = new World();
    world.refusals.set(queue, [differs('auto_delete', "'true'")]);
    world.others = 1;
    const service = await world.start(publishes, () => {});
    await vi.advanceTimersByTimeAsync(5_000);
    expect(world.calls).toEqual([`bind ${queue} mesh.inbound shop.x`, `consume ${queue}`]);
    world.others = 0;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(world.calls[2]).toBe(`replace ${queue} {"x-expires":300000}`);
    await service.stop();
  });

  it('of a method that another service has taken meanwhile is not consumed again', async () => {
    const world = new World();
    const service = await world.start({ kind: 'request', pattern: 'shop.x' }, () => 1);
    world.refusals.set('service.shop.method:shop.x', [
      differs('x-dead-letter-exchange', "'service.shop.owner:till'"),
    ]);
    await expect(world.prepare()).rejects.toMatchObject({ code: 'method-taken' });
    await service.stop();
  });

  it('that the application has named is never replaced', async () => {
    const world = new World();
    world.refusals.set('mine', [differs('auto_delete', "'true'")]);
    await expect(world.start(publishes, () => {}, { queue: 'mine' })).rejects.toMatchObject({
      code: 'queue-differs',
    });
    expect(world.calls).toEqual([]);
  });

  it('is named by the service and what it serves, wildcards by characters that queues may have in rights', () => {
    expect(queueName('shop', { kind: 'request', pattern: 'shop.*.#' })).toBe('service.shop.shop.+.++');
    expect(queueName('shop', publishes)).toBe(queue);
  });

  it('has a name that AMQP carries, or is refused', async () => {
    const pattern = `shop.${'x'.repeat(195)}`;
    const refused = { code: 'bad-option', message: expect.stringContaining('shorten') };
    await expect(
      new World('s'.repeat(60)).start({ kind: 'request', pattern }, () => 1),
    ).rejects.toMatchObject(refused);
  });
});
