import type { Attack } from '../attack.js';
import type { World } from '../world.js';

/** What the issuer does from now on; how often it has been asked for its keys since it was told last. */
async function issuerIs(world: World, mode: string): Promise<number> {
  const { asked } = await world.tellIssuer(mode);
  return asked;
}

/** No keys have come yet, and the issuer is like this: nobody can be told from anybody, and it is not asked for each of them. */
function issuerThat(mode: string, does: string, once?: string): Attack {
  return {
    name: `keys-${mode}`,
    ...(once !== undefined && { once }),
    control: 'quiet',
    needs: 'keyless-gateway',
    isFresh: true,
    maxGrowthMib: 60,
    async run(world) {
      const { url: gateway } = world.extra('keyless-gateway');
      await issuerIs(world, mode);
      const beganAt = performance.now();
      const tokens = Array.from({ length: 8 }, (_, n) => world.tokenOfUnknownKey(`kid-${mode}-${n}`));
      const answers = await Promise.all(
        [world.at.issuerToken, ...tokens].map((token) => world.lookup(token, {}, { gateway })),
      );
      const tookMs = performance.now() - beganAt;
      const asked = await issuerIs(world, 'good');
      const told = answers.map(({ status, code, headers }) => {
        return `${status} ${code}${headers['retry-after'] === undefined ? '' : ' Retry-After'}`;
      });
      return {
        sent: `an issuer that ${does}; 8 tokens of unknown keys and a good one at once`,
        answered: `${[...new Set(told)].join(', ')} within ${Math.round(tookMs)} ms; the issuer was asked ${asked} times`,
        isRefused:
          told.every((each) => each === '503 keys-unavailable Retry-After') && asked === 1 && tookMs < 8000,
      };
    },
  };
}

const outage: Attack = {
  name: 'keys-outage',
  once: 'all clients got 401, and stopped for good',
  control: 'quiet',
  needs: 'keys-gateway',
  isFresh: true,
  async run(world) {
    const { url: gateway } = world.extra('keys-gateway');
    const before = await world.lookup(world.at.issuerToken, {}, { gateway });
    await issuerIs(world, 'fails');
    const answers: string[] = [];
    for (let n = 0; n < 8; n++) {
      const { status, code } = await world.lookup(world.tokenOfUnknownKey(`kid-${n}`), {}, { gateway });
      answers.push(`${status} ${code}`);
    }
    const known = await world.lookup(world.at.issuerToken, {}, { gateway });
    const asked = await issuerIs(world, 'good');
    return {
      sent: 'keys that came once, then an issuer that fails; 8 tokens of unknown keys, one of a known key',
      answered: `${[...new Set(answers)].join(', ')}; known key ${before.status}, then ${known.status}; the issuer was asked ${asked} times`,
      isRefused:
        before.status === 200 &&
        known.status === 200 &&
        asked <= 1 &&
        answers.every((answer) => answer === '401 bad-credentials' || answer === '503 keys-unavailable'),
    };
  },
};

/** A service that is not to start so. */
function refusesToStart(
  name: string,
  sent: string,
  role: 'edge' | 'gateway',
  env: Readonly<Record<string, string>>,
  variable: string,
  once?: string,
): Attack {
  return {
    name,
    ...(once !== undefined && { once }),
    // A service that starts beside the mesh takes the machine's time, whatever comes of it.
    control: 'sink',
    async run(world) {
      const { status, text } = await world.startService(role, env);
      const line = text.split('\n').find((each) => each.includes(variable)) ?? text.split('\n')[0] ?? '';
      return {
        sent,
        answered: `exit status ${status}: ${line.slice(0, 160)}`,
        isRefused: status === 1 && line !== '' && line.includes(variable),
      };
    },
  };
}

const secret = 'not-the-secret-of-any-document-0123456789';

export const keyAttacks: readonly Attack[] = [
  outage,
  issuerThat('fails', 'answers 500'),
  issuerThat('slow', 'never finishes its answer', 'each request without credentials was held for 5 s'),
  issuerThat('huge', 'sends 300 MB', 'the gateway grew from 75 to 529 MB'),
  issuerThat('redirect', 'redirects'),
  issuerThat('html', 'sends a page'),
  refusesToStart(
    'keys-by-http',
    'EVENKEEL_JWKS_URL=http://…',
    'gateway',
    { EVENKEEL_SECRET: secret, EVENKEEL_AUTH: 'jwt', EVENKEEL_JWKS_URL: 'http://issuer.example/keys' },
    'EVENKEEL_JWKS_URL',
    'taken without a word',
  ),
  refusesToStart(
    'development-in-production',
    'EVENKEEL_AUTH=dev with NODE_ENV=production',
    'gateway',
    { EVENKEEL_SECRET: secret, EVENKEEL_AUTH: 'dev', NODE_ENV: 'production' },
    'EVENKEEL_AUTH',
    'a line of warning, and it ran on every address',
  ),
  refusesToStart(
    'published-secret',
    'the secret of an example with EVENKEEL_AUTH=jwt',
    'gateway',
    {
      EVENKEEL_SECRET: 'for-development-only-change-me',
      EVENKEEL_AUTH: 'jwt',
      EVENKEEL_JWT_SECRET: `${secret}-2`,
    },
    'EVENKEEL_SECRET',
    'taken: whoever had read the documents could sign tickets',
  ),
  refusesToStart(
    'broker-that-is-none',
    'EVENKEEL_AMQP_URL=http://…',
    'edge',
    { EVENKEEL_SECRET: secret, EVENKEEL_AMQP_URL: 'http://broker.example' },
    'EVENKEEL_AMQP_URL',
    'retried for ever',
  ),
];
