import { isNodeName, isSid, isUid } from '@evenkeel/protocol';
import { maxTicketChars, type TicketClaims, TicketSigner } from '@evenkeel/ticket';
import { isSame } from '../same.js';
import { holds, type Target } from '../target.js';
import { secret, signedBody, splitKind } from './signed.js';

const signer = new TicketSigner([secret, 'another secret, which was the first']);
const edge = { name: 'edge-1', boot: 'b1' };
const nowMs = 1_800_000_000_000;
const problems = ['malformed', 'forged', 'expired', 'probe', 'wrong-node', 'stale'];

/** `claims:` JSON, `named:` node and JSON, both signed here; anything else is shown as it is. */
export const tickets: Target = {
  name: 'tickets',
  about: 'tickets, signed and not',
  maxBytes: 4_096,
  words: [
    ...[
      'claims:',
      'named:edge-1.',
      'id',
      'uid',
      'sid',
      'node',
      'boot',
      'epoch',
      'expiresAt',
      'isNew',
      'from',
    ],
    ...['move', 'isProbe', 'pass', 'hash', 'exp', 'rev', 'isOpen', 'edge-1', 'edge-2', 'b1', 'alice'],
    ...[String(nowMs), String(nowMs + 30_000), 'true'],
  ],
  run(input) {
    const ticket = ticketOf(input);
    const verdict = signer.check(ticket.text, edge, nowMs);
    if (!verdict.ok) holds(problems.includes(verdict.problem), 'a problem is one of those', verdict);
    if (!ticket.isSigned) holds(!('claims' in verdict), 'what is not signed admits nobody', ticket.text);
    if (!('claims' in verdict)) return;
    const { claims } = verdict;
    holds(ticket.text.length <= maxTicketChars, 'no ticket is longer than one may be');
    checkClaims(claims);
    const { node, ...others } = claims;
    holds(verdict.ok === (node === edge.name), 'a ticket is good at its edge, and no other', claims);
    const again = signer.check(signer.issue({ ...others, node }), edge, nowMs);
    const read = 'claims' in again ? { ...again.claims, id: claims.id } : again;
    holds(isSame(read, claims), 'what was read can be issued, and says the same', { read, claims });
  },
};

function ticketOf(input: Buffer): { readonly text: string; readonly isSigned: boolean } {
  const split = splitKind(input);
  const [, node, json] = /^([^.{]*)\.(.*)$/s.exec(split?.rest ?? '') ?? [];
  const encoded = (text: string): string => Buffer.from(text).toString('base64url');
  const body =
    split?.kind === 'claims'
      ? encoded(split.rest)
      : split?.kind === 'named' && json !== undefined
        ? `${node}.${encoded(json)}`
        : undefined;
  if (body === undefined) return { text: input.toString('utf8'), isSigned: false };
  return { text: `${body}.${signedBody(body, secret)}`, isSigned: true };
}

function checkClaims({ uid, sid, node, epoch, expiresAt, pass, ...others }: TicketClaims): void {
  holds(isUid(uid) && isSid(sid) && isNodeName(node), 'names are names', { uid, sid, node });
  holds(Number.isSafeInteger(epoch) && epoch >= 0, 'an epoch is one that edges tell each other', epoch);
  holds(Number.isFinite(expiresAt), 'it ends', expiresAt);
  const { exp, rev } = pass ?? { exp: 0, rev: 0 };
  holds(Number.isSafeInteger(exp) && Number.isSafeInteger(rev), 'a pass has its times', pass);
  for (const value of Object.values(others))
    holds(['string', 'boolean', 'undefined'].includes(typeof value), 'the rest is text, or true', others);
}
