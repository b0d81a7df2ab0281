import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

export interface Settings {
  readonly gateway: string;
  readonly amqpUrl: string;
  /** Check this client instead of a mesh: a line for the shell. */
  readonly client: string | undefined;
  readonly json: boolean;
  readonly slow: boolean;
  /** Rules whose id contains one of these; none: all. */
  readonly only: readonly string[];
  readonly parallel: number;
}

export const help = `npm run conformance -- [flags]

Checks a running mesh against every rule of PROTOCOL.md that a server must keep. The mesh must believe
?user= (EVENKEEL_AUTH=dev, as under \`npm start\`) and have two edges at least. Sessions made up here are
left to expire.

  --gateway URL     the mesh's gateway (that of \`npm start\` here, else http://127.0.0.1:8080)
  --amqp-url URL    the mesh's broker, as its administrator (that of \`npm start\` here, else
                    amqp://guest:guest@127.0.0.1:5672)

With --client it checks a client instead, and needs no mesh: it plays gateway and edges itself, and
starts COMMAND once for each rule. What COMMAND is told and has to print, the package's README says.

  --client COMMAND  a client with its driver, as a line for the shell

  --only TEXT       only rules whose id contains it; may be repeated
  --slow            also the rules that take up to a minute
  --parallel N      how many rules at once (4; with --client 8)
  --json            one JSON object on standard output and nothing else
  --help

Exit status: 0 when all passed, 1 when one failed, 2 when the mesh could not be reached, the client did
not start, or a flag is wrong.
`;

/** @throws Error with a message for the person at the terminal. */
export function readSettings(args: readonly string[]): Settings | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      gateway: { type: 'string' },
      'amqp-url': { type: 'string' },
      client: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      slow: { type: 'boolean', default: false },
      parallel: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const { client } = values;
  if (client !== undefined && (values.gateway ?? values['amqp-url']) !== undefined)
    throw new Error('--client needs no mesh: leave --gateway and --amqp-url out.');
  if (client?.trim() === '') throw new Error("--client takes a command, such as 'node driver.mjs'.");
  const parallel = Number(values.parallel ?? (client === undefined ? 4 : 8));
  if (!Number.isInteger(parallel) || parallel < 1 || parallel > 64)
    throw new Error(`--parallel takes a whole number from 1 to 64, not "${values.parallel}".`);
  const run = readRun();
  return {
    gateway: values.gateway ?? run?.gateway ?? 'http://127.0.0.1:8080',
    amqpUrl: values['amqp-url'] ?? run?.amqpUrl ?? 'amqp://guest:guest@127.0.0.1:5672',
    client,
    json: values.json,
    slow: values.slow,
    only: values.only,
    parallel,
  };
}

/** What an `npm start` in this folder says of itself, or what is set up there for Compose. */
function readRun(): { gateway: string; amqpUrl: string } | undefined {
  for (const name of ['run.json', 'compose.json']) {
    try {
      return JSON.parse(readFileSync(join('.evenkeel', name), 'utf8'));
    } catch {
      // Not there, or half written.
    }
  }
  return undefined;
}
