import { createHash, randomBytes } from 'node:crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Terminal } from './terminal.js';

interface ConsoleTokenOptions {
  role: 'view' | 'operate';
  json?: boolean;
}

/** `evenkeel console-token NAME`: a token for the console, and the entry of `EVENKEEL_CONSOLE_TOKENS` that lets it in. */
export function addConsoleTokenCommand(program: Command, terminal: Terminal): void {
  program
    .command('console-token')
    .description(
      'make a token for the console; prints it, and the entry of EVENKEEL_CONSOLE_TOKENS that lets it in',
    )
    .argument('<name>', 'who it is for; plans and audit name them', nameOf)
    .addOption(
      new Option('--role <role>', 'view: looks; operate: also commands')
        .choices(['view', 'operate'])
        .default('view'),
    )
    .option('--json', 'the answer as JSON, alone on standard output')
    .action((name: string, { role, json }: ConsoleTokenOptions) => {
      const token = randomBytes(32).toString('base64url');
      const entry = `${name}:${role}:${createHash('sha256').update(token).digest('hex')}`;
      terminal.out(
        json === true
          ? `${JSON.stringify({ ok: true, name, role, token, entry })}\n`
          : `token  ${token}\nentry  ${entry}\n`,
      );
    });
}

function nameOf(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/.test(text)) return text;
  throw new InvalidArgumentError(
    'a name is 1 to 64 of A-Z a-z 0-9 . _ @ -, and begins with a letter or a digit',
  );
}
