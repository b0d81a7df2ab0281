import type { Control } from '@evenkeel/mesh';
import { LogLimit } from '@evenkeel/pace';
import type { CommandOf } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { EdgeNode } from '../node.js';
import type { ClaimAnswer, Claimer, Foreign, Gate } from '../transport/gate.js';

/** How long a client waits while the edge that its ticket names is asked, ms. */
const answerMs = 2_000;
/** Questions open at a time; beyond it clients are sent back to the gateway. */
const maxQuestions = 10_000;
/** A front that sends clients to the wrong edges does it all the time. */
const logEveryMs = 60_000;

interface Question {
  /** The edge that is asked; nobody else's answer counts. */
  readonly node: string;
  onAnswer(answer: ClaimAnswer): void;
}

export interface ClaimsOptions {
  node: Pick<EdgeNode, 'name' | 'boot' | 'url'>;
  control: Pick<Control, 'send'>;
  gate: Pick<Gate, 'claim'>;
  now(): number;
  log: Pick<Log, 'warn'>;
  /** Default 10,000. */
  maxQuestions?: number;
}

/**
 * Tickets that a front has brought to another edge than they name. The named edge decides, because it alone knows whether it
 * has admitted a ticket: so each admits one socket in the whole mesh. The question carries the whole ticket, so that none can be
 * used up by somebody who does not hold it.
 */
export class Claims implements Claimer {
  readonly #options: ClaimsOptions;
  readonly #questions = new Map<string, Question>();
  /** What is being asked about: a client that shows one ticket over and over takes up one question. */
  readonly #tickets = new Set<string>();
  readonly #warnings = new LogLimit(logEveryMs);
  #asked = 0;

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  async ask({ claims, ticket }: Foreign): Promise<ClaimAnswer> {
    if (this.#tickets.has(claims.id)) return { outcome: 'used', url: '' };
    this.#tickets.add(claims.id);
    const answer = await this.#ask(claims.node, ticket);
    this.#tickets.delete(claims.id);
    if (answer.outcome === 'elsewhere' || answer.outcome === 'silent') this.#warn(claims.node, answer);
    return answer;
  }

  /** From the edge that was asked. A late or foreign answer finds no question here and changes nothing. */
  onClaimed({ claim, from, outcome, url }: CommandOf<'claimed'>): void {
    const question = this.#questions.get(claim);
    if (question?.node === from) question.onAnswer({ outcome, url });
  }

  /** Another edge asks. */
  onClaim({ claim, ticket, from, boot, url }: CommandOf<'claim'>): void {
    const { node, control, gate, now } = this.#options;
    if (boot === node.boot || node.url === '') return;
    const outcome = gate.claim(ticket, url, now());
    if (outcome === undefined) return;
    const claimed = { command: 'claimed' as const, claim, from: node.name, outcome, url: node.url };
    // Lost, the client gets another ticket from the gateway.
    control.send(from, claimed, answerMs).catch(() => {});
  }

  async #ask(named: string, ticket: string): Promise<ClaimAnswer> {
    const { node, control, maxQuestions: limit = maxQuestions } = this.#options;
    if (this.#questions.size >= limit) return { outcome: 'unavailable', url: '' };
    this.#asked += 1;
    const claim = `${node.boot}-${this.#asked}`;
    return await new Promise((resolve) => {
      const finish = (answer: ClaimAnswer) => {
        clearTimeout(timer);
        this.#questions.delete(claim);
        resolve(answer);
      };
      const timer = setTimeout(() => finish({ outcome: 'silent', url: '' }), answerMs);
      this.#questions.set(claim, { node: named, onAnswer: finish });
      const { name: from, boot, url } = node;
      control.send(named, { command: 'claim', claim, ticket, from, boot, url }, answerMs).then(
        (outcome) => {
          // Nobody takes commands under that name.
          if (outcome === 'unrouted') finish({ outcome: 'silent', url: '' });
        },
        () => finish({ outcome: 'unavailable', url: '' }),
      );
    });
  }

  #warn(named: string, { outcome, url }: ClaimAnswer): void {
    const suppressed = this.#warnings.pass(performance.now());
    if (suppressed === undefined) return;
    this.#options.log.warn(
      { named, outcome, ...(url === '' ? {} : { url }), suppressed },
      'client told wrong-edge: what is in front brought it here with a ticket for another edge',
    );
  }
}
