import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Live } from './live.js';
import type { Outcome } from './outcomes.js';
import type { Answer, Command } from './types.js';

export interface Desk {
  readonly live: Live;
  /** May this person change anything? */
  readonly canOperate: boolean;
  /** How old what is shown is, where it is stale. */
  readonly staleMs: number | undefined;
  /** Sends a command and says how it went; undefined: it was refused, which has been said too. */
  readonly act: (command: Command, done: (answer: Answer) => string | Outcome) => Promise<Answer | undefined>;
}

export const DeskContext = createContext<Desk | undefined>(undefined);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (desk === undefined) throw new Error('There is no desk around this part.');
  return desk;
}
