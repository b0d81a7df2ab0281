import {
  answersHeader,
  askErrors,
  asking,
  errorHeader,
  exchanges,
  questionKey,
  sessionHeader,
  toUid,
  type Want,
  wantHeader,
} from '@evenkeel/protocol';
import { Refusal } from '@evenkeel/runtime';
import { WrittenJson } from '../contract/written-json.js';
import type { Calls, Heard } from './calls.js';

export interface Asking {
  readonly user: string;
  readonly method: string;
  readonly data: WrittenJson;
  readonly want: Want;
  readonly timeoutMs?: number | undefined;
  /** Identity of the question. */
  readonly id: string;
}

/** Asks a user's clients, by a balancer. What they answer is as they wrote it. @throws Refusal; BrokerError */
export async function request(
  { user, method, data, want, timeoutMs = asking.timeoutMs, id }: Asking,
  { calls }: { calls: Pick<Calls, 'gather'> },
): Promise<WrittenJson> {
  const call = {
    exchange: exchanges.ask,
    key: questionKey(toUid(user), method),
    body: data,
    headers: { [wantHeader]: want },
    id,
    waitMs: timeoutMs,
    graceMs: asking.graceMs,
    missing: 'no balancer has answered; the client may have been asked',
  };
  const all = await calls.gather(call, ({ headers }) => want === 'first' || !(sessionHeader in headers));
  const end = all.find(({ headers }) => !(sessionHeader in headers));
  if (end !== undefined && errorHeader in end.headers) throw refusalOf(end);
  const silent =
    end !== undefined && answersHeader in end.headers ? (end.body as { silent: string[] }).silent : [];
  const answers = all.filter((heard) => heard !== end).map(answerText);
  return new WrittenJson(
    `{"user":${JSON.stringify(user)},"answers":[${answers.join(',')}],"silent":${JSON.stringify(silent)}}`,
  );
}

/** As the contract has it. */
function answerText({ headers, body, text }: Heard): string {
  const session = String(headers[sessionHeader]);
  const code = headers[errorHeader];
  if (code !== undefined) return JSON.stringify({ session, error: { code: String(code), message: text() } });
  return `{"session":${JSON.stringify(session)},"data":${body === undefined ? JSON.stringify(text()) : text()}}`;
}

/** What the mesh says of a question that has no answer. */
function refusalOf({ headers, text }: Heard): Refusal {
  const code = String(headers[errorHeader]);
  const message = text();
  switch (code) {
    case askErrors.noSession:
      return new Refusal(404, 'no-session', message);
    case askErrors.timeout:
      return new Refusal(504, 'no-answer', message);
    case askErrors.tooMany:
      return new Refusal(429, 'rate-limited', message, { 'retry-after': '1' });
    case askErrors.tooLarge:
      return new Refusal(413, 'too-large', message);
    case askErrors.badQuestion:
      return new Refusal(400, 'bad-name', message);
    default:
      return new Refusal(503, 'unavailable', `${code}: ${message}`, { 'retry-after': '1' });
  }
}
