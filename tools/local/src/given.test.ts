import { describe, expect, it } from 'vitest';
import { forRole, sortGiven } from './given.js';

describe('variables in the shell of npm start', () => {
  it('reach the services, but for those that say which process is which', () => {
    const given = sortGiven({
      EVENKEEL_PORT: '25195',
      EVENKEEL_NODE: 'x',
      EVENKEEL_CELLS: '/tmp/cells.json',
      EVENKEEL_CAPACITY: '10',
      EVENKEEL_STRATEGY: 'consistent-hash',
      EVENKEEL_PUBLIC_URL: 'ws://127.0.0.1:8000/e/{node}/ws',
      EVENKEEL_REACHABILITY_URL: 'off',
      EVENKEEL_AMQP_URL: 'amqp://x',
      EVENKEEL_STATE_DIR: '/tmp/x',
    });
    expect(given.settings).toEqual({
      EVENKEEL_CAPACITY: '10',
      EVENKEEL_STRATEGY: 'consistent-hash',
      EVENKEEL_PUBLIC_URL: 'ws://127.0.0.1:8000/e/{node}/ws',
      EVENKEEL_REACHABILITY_URL: 'off',
    });
    expect(given.warnings).toEqual([
      'Not taken from the shell, npm start sets it itself: EVENKEEL_PORT, EVENKEEL_NODE, EVENKEEL_CELLS.',
    ]);
  });

  it('are ignored with a guess when no service knows them', () => {
    const given = sortGiven({ EVENKEEL_CAPACTY: '1', EVENKEEL_COFFEE_MACHINE: 'on' });
    expect(given.settings).toEqual({});
    expect(given.warnings).toEqual([
      'No service knows EVENKEEL_CAPACTY, it is ignored. Did you mean EVENKEEL_CAPACITY?',
      'No service knows EVENKEEL_COFFEE_MACHINE, it is ignored.',
    ]);
  });

  it('reach the services that have them as a setting', () => {
    const settings = { EVENKEEL_CAPACITY: '10', EVENKEEL_STRATEGY: 'consistent-hash', EVENKEEL_SECRET: 's' };
    expect(forRole('edge', settings)).toEqual({ EVENKEEL_CAPACITY: '10', EVENKEEL_SECRET: 's' });
    expect(forRole('balancer', settings)).toEqual({ EVENKEEL_STRATEGY: 'consistent-hash' });
    expect(forRole('demo', settings)).toEqual({});
  });
});
