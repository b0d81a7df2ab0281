import { describe, expect, it } from 'vitest';
import { unknownVariables } from './variables.js';

describe('unknownVariables', () => {
  it('names what nothing of ours knows, and the variable that was probably meant', () => {
    const env = {
      EVENKEEL_CAPACTY: '1',
      EVENKEEL_LOGLEVEL: 'debug',
      EVENKEEL_COFFEE_MACHINE: 'on',
      EVENKEEL_MODE: 'manual',
      EVENKEEL_STATE_DIR: '/var/lib',
      EVENKEEL_SECRET_FILE: '/run/secrets/ticket',
      EVENKEEL_MODE_FILE: '/run/mode',
      PATH: '/bin',
    };
    expect(unknownVariables(env)).toEqual([
      { variable: 'EVENKEEL_CAPACTY', didYouMean: 'EVENKEEL_CAPACITY' },
      { variable: 'EVENKEEL_LOGLEVEL', didYouMean: 'EVENKEEL_LOG_LEVEL' },
      { variable: 'EVENKEEL_COFFEE_MACHINE', didYouMean: undefined },
      { variable: 'EVENKEEL_MODE_FILE', didYouMean: undefined },
    ]);
  });
});
