import type { Publisher } from '@evenkeel/broker';
import {
  errorCodes,
  exchanges,
  fromUid,
  isTopic,
  type PublishFrame,
  type RequestFrame,
  sessionQueue,
} from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import { errorFrame, okFrame } from '../frame/frames.js';

/** What answers a request: a frame to the client. */
export type Answer = (frame: string) => void;

/**
 * Carries a client's `publish` or `request` to `mesh.inbound`. A publish is answered once confirmed; a request
 * by the service, through the session's own queue, so that the reply finds the session wherever it has moved.
 */
export async function sendInbound(
  frame: PublishFrame | RequestFrame,
  claims: TicketClaims,
  node: string,
  publisher: Publisher,
  requestTimeoutMs: number,
  answer: Answer,
): Promise<void> {
  const isRequest = frame.t === 'request';
  const key = isRequest ? frame.method : frame.topic;
  if (!isTopic(key)) {
    const code = isRequest ? errorCodes.badMethod : errorCodes.badTopic;
    answer(errorFrame(frame.id, code, 'use words of A-Z a-z 0-9 _ ~ - joined by dots, at most 200 bytes'));
    return;
  }
  try {
    const outcome = await publisher.publish(exchanges.inbound, key, JSON.stringify(frame.data ?? null), {
      messageId: `${claims.uid}.${claims.sid}.${frame.id}`,
      timestamp: Math.floor(Date.now() / 1000),
      contentType: 'application/json',
      type: frame.t,
      mandatory: true,
      headers: {
        'evenkeel-user': fromUid(claims.uid),
        'evenkeel-uid': claims.uid,
        'evenkeel-session': claims.sid,
        'evenkeel-node': node,
      },
      ...(isRequest
        ? {
            replyTo: sessionQueue(claims.uid, claims.sid),
            correlationId: frame.id,
            expiration: requestTimeoutMs,
          }
        : {}),
    });
    if (outcome === 'unrouted')
      answer(errorFrame(frame.id, errorCodes.noService, `no service consumes '${key}'`));
    else if (!isRequest) answer(okFrame(frame.id));
  } catch {
    answer(
      errorFrame(
        frame.id,
        errorCodes.brokerUnavailable,
        'the broker did not take it; send it again with the same id',
      ),
    );
  }
}
