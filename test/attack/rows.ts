import type { Attack } from './attack.js';
import { brokerAttacks } from './rows/broker.js';
import { floodAttacks } from './rows/floods.js';
import { frameFloods } from './rows/frame-floods.js';
import { frameAttacks } from './rows/frames.js';
import { grantAttacks } from './rows/grants.js';
import { keyAttacks } from './rows/keys.js';
import { socketAttacks } from './rows/sockets.js';
import { ticketAttacks } from './rows/tickets.js';
import { tokenAttacks } from './rows/tokens.js';

/** All of them, in the order in which they are run. */
export const attacks: readonly Attack[] = [
  ...tokenAttacks,
  ...ticketAttacks,
  ...frameAttacks,
  ...grantAttacks,
  ...socketAttacks,
  ...frameFloods,
  ...floodAttacks,
  ...keyAttacks,
  ...brokerAttacks,
];
