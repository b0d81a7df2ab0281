import type { IncomingMessage } from 'node:http';
import { jsonBody } from '@evenkeel/runtime';

/** A command may be as long as on the management queue. */
const maxBytes = 65_536;

/** The JSON that a request brings. @throws Refusal */
export const jsonOf = async (request: IncomingMessage): Promise<unknown> =>
  (await jsonBody(request, maxBytes)).value;
