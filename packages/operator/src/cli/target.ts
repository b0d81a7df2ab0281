import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '@evenkeel/runtime';
import { z } from 'zod';

const settings = z.object({
  amqpUrl: z.string().optional().describe('RabbitMQ, with user and password').meta({ secret: true }),
});
const runFile = z.looseObject({
  amqpUrl: z.string(),
  /** How to ask the `npm start` itself; null when it takes no requests. */
  control: z.looseObject({ url: z.string(), token: z.string() }).nullish(),
});
type RunFile = z.infer<typeof runFile>;

/**
 * RabbitMQ's address: what was given, `EVENKEEL_AMQP_URL`, that of an `npm start` that runs in this or a
 * parent folder (or in this checkout), else the local one.
 */
export function resolveAmqpUrl(given: string | undefined, cwd: string = process.cwd()): string {
  const url = given ?? loadConfig(settings).amqpUrl;
  return url ?? findRunFile(cwd)?.amqpUrl ?? 'amqp://guest:guest@127.0.0.1:5672';
}

/** What an `npm start` that runs in this or a parent folder (or in this checkout) says of itself. */
export function findRunFile(cwd: string = process.cwd()): RunFile | undefined {
  const checkout = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');
  for (const folder of [...parents(cwd), checkout]) {
    const running = readRunFile(join(folder, '.evenkeel', 'run.json'));
    if (running !== undefined) return running;
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
