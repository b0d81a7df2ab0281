import { expect, it } from 'vitest';
import { LiveSettings, liveValues } from './live-settings.js';

const defaults = liveValues({
  mode: 'auto',
  maintenanceWindows: [],
  relativeThreshold: 0.01,
  absoluteThreshold: 5,
  quietMs: 2_000,
  deployHoldMs: 60_000,
  moveDeadlineMs: 10_000,
  startPerSecond: 200,
  maxPerSecond: 2_000,
  handshakeP99Ms: 400,
  loopLagP99Ms: 80,
});
const ann = { by: 'ann', at: 1 };

it('a setting counts until it is taken back; then the environment does', () => {
  const settings = new LiveSettings(defaults);
  settings.set({ name: 'maxPerSecond', value: 50, ...ann });
  settings.set({ name: 'mode', value: 'manual', ...ann });
  expect(settings.values).toEqual({ ...defaults, maxPerSecond: 50, mode: 'manual' });
  settings.unset('maxPerSecond');
  expect(settings.values).toEqual({ ...defaults, mode: 'manual' });
  expect(settings.changed).toEqual([{ name: 'mode', value: 'manual', ...ann }]);
});

it('what the leader before has left takes the place of what was known', () => {
  const settings = new LiveSettings(defaults);
  settings.set({ name: 'quietMs', value: 1, ...ann });
  settings.restore([{ name: 'absoluteThreshold', value: 9, by: 'bob', at: 2 }]);
  expect(settings.values).toEqual({ ...defaults, absoluteThreshold: 9 });
  expect(settings.changeOf('absoluteThreshold')).toMatchObject({ by: 'bob' });
});
