import { expect, it, onTestFinished, vi } from 'vitest';
import { World } from '../../testing/topic-world.js';

it('a topic that was being bound when the broker went has its gap told once it is back, and not before', async () => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
  });
  onTestFinished(() => void vi.useRealTimers());
  const world = new World();
  await world.start();
  world.open(['b']);
  await world.drain();
  world.open(['a']).close();
  await world.drain('bindingAnswers', 'otherBindingAnswers');
  world.hasFaults = true;
  world.broker.loseConnection();
  const client = world.open(['a', 'b']);
  await world.drain();
  world.publish('a', 1);
  await world.finish((ms) => vi.advanceTimersByTime(ms));
  const gaps = client.frames.filter(({ t, topic }) => t === 'gap' && topic === 'a');
  expect(gaps).toMatchObject([{ reason: 'broker-lost' }]);
  await world.stop();
});
