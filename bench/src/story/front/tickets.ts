import { createHmac, randomBytes } from 'node:crypto';
import { subprotocol, toUid } from '@evenkeel/protocol';
import WebSocket from 'ws';
import { placement } from '../../fleet/light-client.js';
import type { TicketAnswer } from './result.js';

export interface TicketsOptions {
  readonly gatewayUrl: string;
  /** What tickets are signed with. */
  readonly secret: string;
  /** Where a client may dial that is to reach another edge than `node`, given where it should dial. */
  readonly wrongUrl: (url: string, node: string) => string;
  /** The address of client number `n`. */
  readonly addressOf: (n: number) => string;
}

interface Dialled {
  readonly answer: string;
  readonly isIn: boolean;
}

const answerTimeoutMs = 10_000;
const atOnce = 10;

/** Shows edges tickets that are not good where they arrive, each through the front, and one that is good many times at once. */
export async function tryTickets(options: TicketsOptions): Promise<TicketAnswer[]> {
  const { gatewayUrl, secret, wrongUrl, addressOf } = options;
  const sockets: WebSocket[] = [];
  let client = 1_000;
  const dial = (url: string, ticket: string) =>
    dialled(`${url}?ticket=${ticket}`, addressOf(client++), sockets);
  const placed = (user: string) => placement(`${gatewayUrl}/gateway?user=${user}`);
  const answers: TicketAnswer[] = [];
  const note = (ticket: string, expected: number, all: readonly Dialled[]) => {
    const said = [...new Set(all.map(({ answer }) => answer))].join('; ');
    answers.push({ ticket, answer: said, admitted: all.filter(({ isIn }) => isIn).length, expected });
  };
  try {
    const own = await placed('ticket-owner');
    const wrong = wrongUrl(own.url, own.node);
    const first = await dial(wrong, own.ticket);
    const again = first.isIn ? [] : [await dial(own.url, own.ticket)];
    note('that is good', 1, [first, ...again]);
    note('that is used', 0, [await dial(wrong, own.ticket), await dial(own.url, own.ticket)]);
    const late = await placed('ticket-late');
    const expired = changed(late.ticket, secret, { expiresAt: Date.now() - 1 });
    note('that has expired', 0, [await dial(wrongUrl(late.url, late.node), expired)]);
    const mine = await placed('ticket-thief');
    const forged = changed(mine.ticket, randomBytes(32).toString('hex'), { uid: toUid('ticket-owner') });
    note('that was made for another user, and forged', 0, [
      await dial(wrongUrl(mine.url, mine.node), forged),
    ]);
    const lent = await placed('ticket-lender');
    const stranger = await dial(wrongUrl(lent.url, lent.node), lent.ticket);
    const owner = await dial(lent.url, lent.ticket);
    note("of another user, and then the owner's turn", 1, [stranger, owner]);
    const many = await placed('ticket-many');
    const all = Array.from({ length: atOnce }, () => dial(many.url, many.ticket));
    note(`${atOnce} times at once`, 1, await Promise.all(all));
  } finally {
    for (const socket of sockets) socket.close(1000);
  }
  return answers;
}

/** The same ticket with other claims, signed. */
function changed(ticket: string, secret: string, claims: object): string {
  const [node = '', body = ''] = ticket.split('.');
  const before: object = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
  const after = Buffer.from(JSON.stringify({ ...before, ...claims })).toString('base64url');
  const signature = createHmac('sha256', secret).update(`${node}.${after}`).digest('base64url');
  return `${node}.${after}.${signature}`;
}

/** What a client is told that opens a socket and begins a session. */
function dialled(url: string, address: string, sockets: WebSocket[]): Promise<Dialled> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, [subprotocol], { localAddress: address });
    sockets.push(socket);
    const end = (answer: string, isIn = false): void => {
      clearTimeout(timer);
      resolve({ answer, isIn });
    };
    const timer = setTimeout(() => end('nothing'), answerTimeoutMs);
    socket.on('error', (error) => end(error.message));
    socket.on('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () =>
        end(`${response.statusCode} ${/"code":"([^"]+)"/.exec(text)?.[1] ?? ''}`.trim()),
      );
    });
    socket.on('open', () => socket.send(JSON.stringify({ t: 'hello', resume: false, topics: [] })));
    socket.on('message', (data) => {
      const { t } = JSON.parse(String(data)) as { t: string };
      if (t === 'welcome') end('let in', true);
    });
    socket.on('close', (code, reason) =>
      end(`closed with ${code} ${/^wss?:/.test(String(reason)) ? '<url>' : reason}`),
    );
  });
}
