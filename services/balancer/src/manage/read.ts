import type { Delivery } from '@evenkeel/broker';
import {
  type ManageCommand,
  manageCommand,
  manageCommands,
  manageErrors,
  manageKind,
} from '@evenkeel/protocol';
import { type Answer, refusal } from './answers.js';

/** Larger commands are refused unread. */
const maxCommandBytes = 65_536;

/** A message as it was understood, or what is wrong with it. */
export type Read = { command: ManageCommand } | { refused: Answer };

/** Whether it changes anything: then it is carried out whether or not anybody hears of it. */
export const isMutating = (c: ManageCommand) => manageKind(c.command) === 'operate';

/** Reads a message as a command, or says what is wrong with it. */
export function read(d: Pick<Delivery, 'body' | 'properties'>): Read {
  const { body, properties } = d;
  if (body.length > maxCommandBytes) {
    return {
      refused: refusal('too-large', `the command has ${body.length} bytes; send at most ${maxCommandBytes}`),
    };
  }
  const encoding = properties.contentEncoding;
  if (encoding !== undefined && encoding !== '' && !/^(utf-?8|identity)$/i.test(encoding)) {
    return {
      refused: refusal('bad-encoding', `content encoding ${clip(encoding)} is not read; send plain UTF-8`),
    };
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return { refused: refusal('bad-encoding', 'the command is not UTF-8; send JSON in UTF-8') };
  }
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return {
      refused: refusal('bad-json', 'the command is not JSON; send for example {"command": "status"}'),
    };
  }
  const parsed = manageCommand.safeParse(raw);
  if (parsed.success) return { command: parsed.data };
  return { refused: explain(raw, parsed.error.issues) };
}

function explain(raw: unknown, issues: readonly { path: readonly PropertyKey[]; message: string }[]): Answer {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return refusal(manageErrors.badCommand, 'a command is a JSON object, for example {"command": "status"}');
  }
  const command = 'command' in raw ? raw.command : undefined;
  if (typeof command !== 'string' || !manageCommands.some((k) => k === command)) {
    const given =
      command === undefined
        ? 'there is no "command"'
        : `the command ${clip(JSON.stringify(command))} is unknown`;
    return refusal('unknown-command', `${given}; use one of ${manageCommands.join(', ')}`);
  }
  const where = issues.slice(0, 3).map((i) => `${i.path.map(String).join('.') || 'command'}: ${i.message}`);
  return refusal(
    manageErrors.badCommand,
    clip(`${command} is not written as it must be: ${where.join('; ')}`, 500),
  );
}

const clip = (text: string, most = 80) => (text.length > most ? `${text.slice(0, most)}…` : text);
