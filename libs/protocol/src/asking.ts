/** Services ask clients: what they ask on `mesh.ask`, how it comes to sessions' queues, and the way back. */
import { isUid } from './names.js';

/** Of one question, and of what may be open. PROTOCOL.md, "Asking a client", and docs/limits.md print them. */
export const asking = {
  /** Its body, bytes. */
  maxQuestionBytes: 65_536,
  /** Answers are waited for so long, unless the question's `expiration` says otherwise, ms. */
  timeoutMs: 10_000,
  maxTimeoutMs: 60_000,
  /** Who asks waits so much longer, ms: the mesh says when the time is over, and if it does not, its balancer has died. */
  graceMs: 1_500,
  /** Questions open at a time to one user. */
  maxPerUser: 64,
  /** Questions open at a time in the whole mesh. */
  maxOpen: 10_000,
} as const;

/** Header of a question, and its values: the first answer is enough, or that of every session is wanted. */
export const wantHeader = 'evenkeel-want';
export type Want = 'first' | 'all';
/** Header of the end of all answers to a question: how many came before it. */
export const answersHeader = 'evenkeel-answers';
/** Header of an answer that is an error: its code. The body is its message. */
export const errorHeader = 'evenkeel-error';
/** Headers of a question in the queue of a session: its id, its method, and the end of the time to answer, ms since the epoch. */
export const askHeader = 'evenkeel-ask';
export const methodHeader = 'evenkeel-method';
export const untilHeader = 'evenkeel-until';

/** Why a question has no answer, or an answer is none: codes in {@link errorHeader}, beside those of clients. */
export const askErrors = {
  badQuestion: 'bad-question',
  tooLarge: 'too-large',
  tooDeep: 'too-deep',
  noSession: 'no-session',
  noHandler: 'no-handler',
  timeout: 'timeout',
  tooMany: 'too-many',
  notReady: 'not-ready',
} as const;

/** Key on `mesh.ask` of a question to a user. */
export const questionKey = (uid: string, method: string): string => `${uid}.${method}`;

/** Key of a question to the sessions of a user, on `mesh.events`. No event of an application has such a name. */
export const askKey = (uid: string): string => `user.${uid}.${askEvent}`;
export const askEvent = '$ask';

/** Key on `mesh.replies` of clients' answers to the questions that `asker`, a balancer, has passed on. */
export const answerAddress = (asker: string): string => `asks.${asker}`;

/** Whether it is an order or a question of the mesh's own among a user's events: of no use to anybody else. */
export const isOwnEvent = (key: string): boolean => /^user\.[^.]+\.\$(?:ask|topics)$/.test(key);

const idForm = /^([\w-]{1,32})\.[\w-]{16,64}$/;

/** Who has passed on the question with this id; undefined: it is no id of a question. */
export const askerOf = (id: string): string | undefined => idForm.exec(id)?.[1];

/** Whom a key on `mesh.ask` asks for what; undefined: it is none. */
export function readQuestionKey(key: string): { uid: string; method: string } | undefined {
  const dot = key.indexOf('.');
  const uid = key.slice(0, Math.max(0, dot));
  return isUid(uid) ? { uid, method: key.slice(dot + 1) } : undefined;
}
