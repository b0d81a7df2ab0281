import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack } from '../attack.js';
import type { World } from '../world.js';

/** What the issuer does from now on; how often it has been asked for its keys since it was told last. */
async function issuerIs(world: World, mode: string): Promise<number> {
  const { asked } = await world.tellIssuer(mode);
  return asked;
}

/** The issuer goes wrong: those whose keys are known come in, those of unknown keys do not, and it is not asked for each. */
function issuerThat(mode: string, does: string, once?: string): Attack {
  return {
    name: `keys-${mode}`,
    ...(once !== undefined && { once }),
    control: 'quiet',
    needs: 'keys-gateway',
    maxGrowthMib: 60,
    async run(world) {
      const { url: gateway } = world.extra('keys-gateway');
      await issuerIs(world, 'good');
      const before = await world.lookup(world.at.issuerToken, {}, { gateway });
      await issuerIs(world, mode);
      const answers: string[] = [];
      const beganAt = performance.now();
      for (let n = 0; n < 8; n++) {
        const unknown = world.tokenOfUnknownKey(`kid-${mode}-${n}`);
        const { status, code, headers } = await world.lookup(unknown, {}, { gateway });
        answers.push(`${status} ${code}${headers['retry-after'] === undefined ? '' : ' Retry-After'}`);
      }
      const known = await world.lookup(world.at.issuerToken, {}, { gateway });
      const tookMs = performance.now() - beganAt;
      await sleep(200);
      const asked = await issuerIs(world, 'good');
      return {
        sent: `an issuer that ${does}; 8 tokens of unknown keys, one of a known key`,
        answered: `${[...new Set(answers)].join(', ')}; known key ${before.status}, then ${known.status}; issuer asked ${asked} times, ${Math.round(tookMs)} ms`,
        isRefused:
          before.status === 200 &&
          known.status === 200 &&
          answers.every((answer) =>
            /^(401 bad-credentials|503 keys-unavailable Retry-After)$/.test(answer),
          ) &&
          asked <= 2 &&
          tookMs < 8000,
      };
    },
  };
}

const fromTheStart: Attack = {
  name: 'keys-never-there',
  once: 'clients got 401 and stopped for good',
  control: 'quiet',
  needs: 'keyless-gateway',
  async run(world) {
    await issuerIs(world, 'fails');
    const { url: gateway } = world.extra('keyless-gateway');
    const answers = [];
    for (let n = 0; n < 3; n++) answers.push(await world.lookup(world.at.issuerToken, {}, { gateway }));
    await issuerIs(world, 'good');
    return {
      sent: 'three good tokens, while no keys have ever come',
      answered: answers
        .map(({ status, code, headers }) => `${status} ${code} after ${headers['retry-after'] ?? 'nothing'}`)
        .join(', '),
      isRefused: answers.every(
        ({ status, headers }) => status === 503 && headers['retry-after'] !== undefined,
      ),
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
    control: 'quiet',
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
  issuerThat('fails', 'answers 500', 'all clients got 401, and stopped for good'),
  issuerThat('slow', 'never finishes its answer', 'each request without credentials was held for 5 s'),
  issuerThat('huge', 'sends 300 MB', 'the gateway grew from 75 to 529 MB'),
  issuerThat('redirect', 'redirects'),
  issuerThat('html', 'sends a page'),
  fromTheStart,
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
