import { ConfigError, loadConfig } from '@evenkeel/runtime';
import { expect, it } from 'vitest';
import { edgeConfig, publicUrlOf, reachabilityUrlOf } from './config.js';

const load = (env: Record<string, string>) =>
  loadConfig(edgeConfig, { EVENKEEL_SECRET: 'a-secret-for-this-test', EVENKEEL_NODE: 'edge-1', ...env });
const tls = { EVENKEEL_TLS_CERT_FILE: '/run/tls/tls.crt', EVENKEEL_TLS_KEY_FILE: '/run/tls/tls.key' };

it.each([
  [{}, 'ws://127.0.0.1:8101/ws'],
  [tls, 'wss://127.0.0.1:8101/ws'],
  [{ EVENKEEL_HOST: '::' }, 'ws://127.0.0.1:8101/ws'],
  [{ ...tls, EVENKEEL_HOST: '::1' }, 'wss://[::1]:8101/ws'],
  [{ EVENKEEL_HOST: '[2001:db8::7]' }, 'ws://[2001:db8::7]:8101/ws'],
  [{ EVENKEEL_HOST: '10.1.2.3' }, 'ws://10.1.2.3:8101/ws'],
  [{ ...tls, EVENKEEL_PUBLIC_URL: 'wss://{node}.mesh.example/ws' }, 'wss://edge-1.mesh.example/ws'],
])('clients and the edge itself dial, with %o, %s', (env, url) => {
  const config = load(env);
  expect([publicUrlOf(config, 8101), reachabilityUrlOf(config, 8101)]).toEqual([url, url]);
});

it.each(['EVENKEEL_TLS_CERT_FILE', 'EVENKEEL_TLS_KEY_FILE'] as const)(
  '%s alone is a wrong setting',
  (alone) => {
    expect(() => load({ [alone]: tls[alone] })).toThrow(ConfigError);
    expect(() => load({ [alone]: tls[alone] })).toThrow(`set it too: ${alone} alone is of no use`);
  },
);
