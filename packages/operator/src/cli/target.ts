import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { amqpSettings, amqpTlsOf, loadConfig } from '@evenkeel/runtime';
import { z } from 'zod';
import { OperatorError } from '../errors.js';

const address = () => z.string().optional().meta({ secret: true });
const settings = z.object({
  ...amqpSettings,
  amqpUrl: address().describe('RabbitMQ, with user and password'),
  operatorAmqpUrl: address().describe('the same, as an operator'),
  appAmqpUrl: address().describe('the same, as an application'),
});
const runFile = z.looseObject({
  amqpUrl: z.string(),
  appAmqpUrl: z.string().optional(),
  operatorAmqpUrl: z.string().optional(),
  viewerAmqpUrl: z.string().optional(),
  /** The HTTP API, and a key of it; null when none runs. */
  api: z.looseObject({ url: z.string(), key: z.string() }).nullish(),
  /** Of a cluster, its nodes. */
  broker: z
    .looseObject({ nodes: z.array(z.looseObject({ name: z.string(), amqpUrl: z.string() })).optional() })
    .optional(),
  /** How to ask the `npm start` itself; null when it takes no requests. */
  control: z.looseObject({ url: z.string(), token: z.string() }).nullish(),
});
type RunFile = z.infer<typeof runFile>;

/**
 * What edges call the broker of this name: of a cluster that `npm start` has brought, by the name of its node, else what stands behind
 * the `@` of such a name, else the name itself.
 */
export function resolveBroker(name: string, cwd: string = process.cwd()): string {
  const node = findRunFile(cwd)?.broker?.nodes?.find((each) => each.name === name);
  return node === undefined ? name.slice(name.indexOf('@') + 1) : new URL(node.amqpUrl).host;
}

/** As whom the command line speaks to RabbitMQ: events are an application's to publish. */
export type Speaker = 'operator' | 'app';

/**
 * RabbitMQ's address: what was given, `EVENKEEL_OPERATOR_AMQP_URL` (or `EVENKEEL_APP_AMQP_URL`), `EVENKEEL_AMQP_URL`, that
 * of an `npm start` that runs in this or a parent folder (or in this checkout), or of Compose set up there, else the local one.
 */
export function resolveAmqpUrl(
  given: string | undefined,
  speaker: Speaker = 'operator',
  cwd: string = process.cwd(),
): string {
  if (given !== undefined) return given;
  const set = loadConfig(settings);
  const own = { operator: 'operatorAmqpUrl', app: 'appAmqpUrl' } as const;
  const url = set[own[speaker]] ?? set.amqpUrl;
  if (url !== undefined) return url;
  const running = findRunFile(cwd);
  return running?.[own[speaker]] ?? running?.amqpUrl ?? 'amqp://guest:guest@127.0.0.1:5672';
}

/** TLS to RabbitMQ, as the services' own variables have it; undefined: they say nothing of it. */
export const resolveAmqpTls = () => amqpTlsOf(loadConfig(settings));

/** The addresses that an `npm start` that runs here has made, by the variable that each goes into. */
export function localAddresses(cwd: string = process.cwd()): Record<string, string> {
  const running = findRunFile(cwd);
  if (running === undefined)
    throw new OperatorError(
      'no-local',
      'no "npm start" runs in this folder, and nothing is set up for Compose; run it in the checkout where one of them is',
    );
  const { amqpUrl, appAmqpUrl, operatorAmqpUrl, viewerAmqpUrl, api } = running;
  return {
    EVENKEEL_APP_AMQP_URL: appAmqpUrl ?? amqpUrl,
    EVENKEEL_OPERATOR_AMQP_URL: operatorAmqpUrl ?? amqpUrl,
    EVENKEEL_VIEWER_AMQP_URL: viewerAmqpUrl ?? amqpUrl,
    ...(api && { EVENKEEL_API_URL: api.url, EVENKEEL_API_KEY: api.key }),
  };
}

/**
 * What an `npm start` that runs in this or a parent folder (or in this checkout) says of itself, or else what
 * `npm run compose:setup` has made there.
 */
export function findRunFile(cwd: string = process.cwd()): RunFile | undefined {
  const checkout = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');
  for (const folder of [...parents(cwd), checkout]) {
    for (const name of ['run.json', 'compose.json']) {
      const running = readRunFile(join(folder, '.evenkeel', name));
      if (running !== undefined) return running;
    }
  }
  return undefined;
}

function parents(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...parents(above)];
}

function readRunFile(file: string): RunFile | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return runFile.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Half written, or not ours to read: as good as absent.
    return undefined;
  }
}
