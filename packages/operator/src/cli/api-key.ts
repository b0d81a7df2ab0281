import { createHash, randomBytes } from 'node:crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Terminal } from './terminal.js';

const scopes = ['publish', 'read', 'sessions', 'request'] as const;

interface ApiKeyOptions {
  scope: string[];
  json?: boolean;
}

/** `evenkeel api-key NAME`: a key for the HTTP API, and the entry of `EVENKEEL_API_KEYS` that lets it in. */
export function addApiKeyCommand(program: Command, terminal: Terminal): void {
  program
    .command('api-key')
    .description('make a key for the HTTP API; prints it, and the entry of EVENKEEL_API_KEYS that lets it in')
    .argument('<name>', 'who it is for; the log names them', nameOf)
    .addOption(
      new Option('--scope <scopes...>', 'what it may do: publish, read, sessions, request')
        .choices(scopes)
        .default(['publish']),
    )
    .option('--json', 'the answer as JSON, alone on standard output')
    .action((name: string, { scope, json }: ApiKeyOptions) => {
      const key = randomBytes(32).toString('base64url');
      const given = scopes.filter((each) => scope.includes(each));
      const entry = `${name}:${given.join('+')}:${createHash('sha256').update(key).digest('hex')}`;
      terminal.out(
        json === true
          ? `${JSON.stringify({ ok: true, name, scopes: given, key, entry })}\n`
          : `key    ${key}\nentry  ${entry}\n`,
      );
    });
}

function nameOf(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/.test(text)) return text;
  throw new InvalidArgumentError(
    'a name is 1 to 64 of A-Z a-z 0-9 . _ @ -, and begins with a letter or a digit',
  );
}
