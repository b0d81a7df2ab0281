import type { Attack } from './attack.js';
import { frameAttacks } from './rows/frames.js';
import { socketAttacks } from './rows/sockets.js';
import { ticketAttacks } from './rows/tickets.js';
import { tokenAttacks } from './rows/tokens.js';

/** All of them, in the order in which they are run. */
export const attacks: readonly Attack[] = [
  ...tokenAttacks,
  ...ticketAttacks,
  ...frameAttacks,
  ...socketAttacks,
];
