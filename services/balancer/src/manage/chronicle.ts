import type { ManageCommand } from '@evenkeel/protocol';
import { NodeChanges } from '../core/cluster/changes.js';
import type { NodeView } from '../core/cluster/state.js';
import { listed, type Plan } from '../core/plan/plan.js';
import type { PastPlan } from '../core/run/past-plan.js';
import type { Answer } from './answers.js';
import { EventLog } from './event-log.js';

/** Nodes are looked at this often, ms. */
const lookEveryMs = 500;

/** Writes down what happens while this balancer leads: who commands what, plans, nodes, leadership. */
export class Chronicle {
  readonly events: EventLog;
  readonly #changes = new NodeChanges();
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(wallNow: () => number) {
    this.events = new EventLog(wallNow);
  }

  /** `sinceMs`: from then on it leads. */
  leads(id: string, sinceMs: number): void {
    this.events.begin(sinceMs.toString(36));
    this.#changes.restart();
    this.events.add({ kind: 'leader', text: `${id} leads` });
  }

  commanded(command: ManageCommand, by: string, answer: Answer): void {
    const outcome = answer.ok ? 'ok' : answer.error.code;
    const text = answer.ok ? said(command) : `${said(command)}: refused, ${answer.error.message}`;
    this.events.add({ kind: 'command', text, by, outcome });
  }

  /** A plan has begun, or ended. */
  planned({ id, kind, why, by, total }: Plan, past: PastPlan | undefined): void {
    const text =
      past === undefined
        ? `plan ${id} has begun: ${kind} of ${total}, ${why}`
        : `plan ${id} is over: ${past.outcome}`;
    this.events.add({ kind: 'plan', text, by, plan: id, ...(past && { outcome: past.state }) });
  }

  /** Looks what has become of nodes, not too often. */
  look(nodes: () => readonly NodeView[], nowMs: number): void {
    if (nowMs - this.#lookedAtMs < lookEveryMs) return;
    this.#lookedAtMs = nowMs;
    const seen = nodes().map((n) => ({ node: n.node, state: n.phase, boot: n.stats.boot }));
    for (const { node, text } of this.#changes.take(seen)) this.events.add({ kind: 'node', node, text });
  }
}

/** A command as it would be typed. */
function said(command: ManageCommand): string {
  const { command: name, v: _v, onBehalfOf: _by, ...rest } = command;
  const words = Object.entries(rest).flatMap(([key, value]) => {
    if (value === undefined) return [];
    if (value === null) return ['--default'];
    const text = Array.isArray(value) ? listed(value.map(String)) : String(value);
    return plain.has(key) ? [text] : [`${key} ${text}`];
  });
  return [name, ...words].join(' ');
}

/** Arguments that say by themselves what they are. */
const plain: ReadonlySet<string> = new Set([
  'node',
  'nodes',
  'user',
  'session',
  'plan',
  'name',
  'value',
  'strategy',
]);
