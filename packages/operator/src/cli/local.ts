import { fetchWithin } from '@evenkeel/runtime';
import type { Command } from 'commander';
import { z } from 'zod';
import { OperatorError } from '../errors.js';
import { findRunFile } from './target.js';
import type { Terminal } from './terminal.js';

/** Stopping an edge waits until its clients have moved, a minute at most. */
const timeoutMs = 90_000;
const maxBytes = 1_048_576;

const answer = z.looseObject({ node: z.string(), url: z.string(), startsAgainInMs: z.number().optional() });
type Answer = z.infer<typeof answer>;
const refusal = z.looseObject({ error: z.looseObject({ code: z.string(), message: z.string() }) });

const commands = [
  {
    name: 'add-edge',
    takesNode: false,
    description: 'start one more edge',
    text: ({ node, url }: Answer) => `${node} runs at ${url}`,
  },
  {
    name: 'stop-edge',
    takesNode: true,
    description: 'stop an edge (the newest by default) in order: its clients are moved first',
    text: ({ node }: Answer) => `${node} has stopped`,
  },
  {
    name: 'kill-edge',
    takesNode: true,
    description: 'kill an edge (the newest by default) as a crash would; it starts again',
    text: ({ node, startsAgainInMs = 0 }: Answer) =>
      `${node} is dead; npm start starts it again in ${startsAgainInMs / 1_000} s`,
  },
] as const;

/** `evenkeel local …`: asks the `npm start` that runs on this machine, in development, for edges. */
export function addLocalCommands(program: Command, terminal: Terminal): void {
  const local = program.command('local').description('edges of the "npm start" that runs here');
  for (const { name, takesNode, description, text } of commands) {
    const command = local
      .command(name)
      .description(description)
      .option('--json', 'the answer as JSON, alone on standard output');
    if (takesNode) command.argument('[node]');
    command.action(async (...given: unknown[]) => {
      const node = takesNode && typeof given[0] === 'string' ? given[0] : undefined;
      const body = answer.parse(await askLocal(name, node === undefined ? {} : { node }));
      const isJson = command.opts<{ json?: boolean }>().json === true;
      terminal.out(`${isJson ? JSON.stringify({ ok: true, ...body }) : text(body)}\n`);
    });
  }
}

/** @throws OperatorError `no-local`, `local-unreachable`, or what the `npm start` refuses with. */
export async function askLocal(action: string, query: Readonly<Record<string, string>>): Promise<object> {
  const running = findRunFile();
  if (running?.control == null) {
    const why =
      running === undefined
        ? 'no "npm start" runs in this folder; run it in the checkout where it does'
        : 'the "npm start" that runs here takes no requests: it does so in development mode alone (EVENKEEL_AUTH=dev)';
    throw new OperatorError('no-local', why);
  }
  const { url, token } = running.control;
  const parameters = new URLSearchParams(query);
  let response: Response;
  let body: unknown;
  try {
    const init = { method: 'POST', headers: { authorization: `Bearer ${token}` } };
    const answer = await fetchWithin(`${url}/${action}?${parameters}`, init, { timeoutMs, maxBytes });
    response = answer.response;
    body = JSON.parse(String(answer.body));
  } catch (cause) {
    throw new OperatorError('local-unreachable', 'the "npm start" of run.json does not answer', cause);
  }
  if (response.ok) return z.looseObject({}).parse(body);
  const { error } = refusal.parse(body);
  throw new OperatorError(error.code, error.message);
}
