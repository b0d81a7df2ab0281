import { type Grants, type Namespaces, noNamespaces, Passes, readNamespaces } from '@evenkeel/access';
import type { PassHold } from '@evenkeel/protocol';
import { EdgeAccess } from '../src/access/access.js';
import { Authorizations } from '../src/access/authorizations.js';
import type { Answered } from '../src/access/questions.js';
import { SessionAccess } from '../src/session/access.js';
import { FakeConnection } from './fake-connection.js';

const accessSecret = 'access-test-secret';

/** Rules, passes, and an application and gateways that answer as the test says. */
export class AccessWorld {
  readonly passes = new Passes([accessSecret]);
  /** What was asked, in order. */
  readonly asked: { key: string; body: Record<string, unknown> }[] = [];
  /** What is answered, by key. */
  answers: (key: string, body: Record<string, unknown>) => Answered | Promise<Answered> = () => ({
    is: 'unrouted',
  });
  nowMs = 1_000_000;
  readonly edge: EdgeAccess;
  readonly authorizations: Authorizations;
  #rev = 0;

  constructor(rules?: object, needsPass = false) {
    const ask = async (key: string, body: object): Promise<Answered> => {
      const question = { key, body: { ...body } };
      this.asked.push(question);
      return await this.answers(key, question.body);
    };
    this.authorizations = new Authorizations({
      questions: { ask: (key, _about, body) => ask(key, body) },
      hook: { ask: (body) => ask('hook', body) },
      now: () => this.nowMs,
      maxAnswers: 3,
    });
    this.edge = new EdgeAccess({
      namespaces: rules === undefined ? noNamespaces : rulesOf(rules),
      secrets: [accessSecret],
      needsPass,
      questions: { ask: (key, _about, body) => ask(key, body) },
      authorizations: this.authorizations,
    });
  }

  /** A pass of alice's, newer than those before. */
  pass(grants?: Grants, lifeMs = 60_000): { pass: string; hold: PassHold } {
    this.#rev += 1;
    return this.passes.issue({ uid: 'alice', grants, exp: this.nowMs + lifeMs, rev: this.#rev });
  }
}

export const rulesOf = (namespaces: object): Namespaces =>
  readNamespaces(
    JSON.stringify({ namespaces, hook: { url: 'https://app.example/may', secret: accessSecret } }),
  );

/** May do everything. */
export const openAccess = (): SessionAccess =>
  new SessionAccess({
    claims: new FakeConnection().claims,
    access: new AccessWorld().edge,
    now: () => 0,
    send: () => {},
    onChanged: () => {},
    close: () => {},
  });
