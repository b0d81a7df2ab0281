import type { ManageCommand, NodeStatus, PlanView, SessionView, StatusAnswer } from '@evenkeel/protocol';

export type { BrokerView, Me, RabbitmqView, View } from '../../src/api.js';
export type Node = NodeStatus;
export type Plan = PlanView;
export type Status = StatusAnswer;
type WithoutSender<C> = C extends unknown ? Omit<C, 'v' | 'onBehalfOf'> : never;
/** What the console is told to send: as in docs/manage.md, and it says for whom. */
export type Command = WithoutSender<ManageCommand>;

/** What every answer to a command has, and what some have beside. */
export interface Answer {
  readonly ok: true;
  readonly plan?: Plan | null;
  /** Of `disconnect`: those that were found, how many edges have answered, and which have not. */
  readonly sessions?: readonly SessionView[];
  readonly answered?: number;
  readonly missing?: readonly string[];
  /** Of `uncordon`: those that stay cordoned because clients do not reach them, and why. */
  readonly unreachable?: readonly string[];
  /** Those that stay so because their memory is low. */
  readonly lowOnMemory?: readonly string[];
  readonly why?: string;
}
