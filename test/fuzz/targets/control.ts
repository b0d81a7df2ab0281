import { readCommands } from '@evenkeel/mesh';
import {
  denialRecord,
  edgeCommand,
  edgeReply,
  placeAnswer,
  placeCommand,
  presenceAsk,
  presenceNews,
} from '@evenkeel/protocol';
import { isSame, jsonOf } from '../same.js';
import { holds, type Target } from '../target.js';
import { envelopeWords, messageOf } from './envelope.js';

const schemas = { edgeReply, presenceNews, presenceAsk, denialRecord, placeCommand, placeAnswer };

/** Longest that is said of a message that is not understood, characters. */
const longestSaid = 2_000;

/** What services of the mesh tell each other. */
export const control: Target = {
  name: 'control',
  about: 'commands to edges and their replies, presence, denials, orders to sessions',
  maxBytes: 32_768,
  words: [
    ...envelopeWords,
    ...edgeCommand.options.map(({ shape }) => shape.command.value),
    ...edgeCommand.options.flatMap(({ shape }) => Object.keys(shape)),
    ...[
      'ask',
      'boot',
      'sessions',
      'since',
      'unacked',
      'isBare',
      'past',
      'events',
      'moves',
      'about',
      'limits',
      'kind',
      'deny',
    ],
    ...[
      'allow',
      'forget',
      'atMs',
      'untilMs',
      'join',
      'leave',
      't',
      'delta',
      'beat',
      'snapshot',
      'in',
      'out',
      'who',
      'part',
      'parts',
    ],
    ...[
      'alice',
      's1',
      'alice.s1',
      'edge-1',
      'edge-2',
      'wss://edge-2.example',
      'released',
      'unknown',
      'refused',
      'overflow',
    ],
  ],
  run(input) {
    const message = messageOf(input, { exchange: 'mesh.control', key: 'edge.edge-1' });
    if (message === undefined) return;
    const said: unknown[] = [];
    const tell = (...all: unknown[]) => void said.push(...all);
    const commands = readCommands(message, { debug: tell, info: tell, warn: tell, error: tell });
    const text = JSON.stringify(said);
    holds(text.length <= longestSaid, 'what is said of a message is bounded', text);
    holds(commands.length <= 1_000, 'a message has no more commands than one may have', commands.length);
    const isSent = message.exchange === 'mesh.control' && message.properties.headers['x-death'] === undefined;
    holds(isSent || commands.length === 0, 'commands count from their exchange alone', message.exchange);
    const again = readCommands({ ...message, body: Buffer.from(JSON.stringify(commands)) });
    holds(isSame(again, commands), 'what was read can be sent on, and says the same', commands);
    const json = jsonOf(message.body.toString('utf8'));
    if (json === undefined) holds(commands.length === 0, 'what is no JSON is no command');
    else each(json.value);
  },
};

function each(value: unknown): void {
  for (const [name, schema] of Object.entries(schemas)) {
    const read = schema.safeParse(value);
    if (!read.success) continue;
    const again = schema.safeParse(JSON.parse(JSON.stringify(read.data)));
    holds(
      again.success && isSame(again.data, read.data),
      `what was read as ${name} says the same again`,
      read.data,
    );
  }
}
