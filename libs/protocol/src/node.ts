import { z } from 'zod';
import { isNodeName } from './names.js';

/** A node's name: one routing-key word. */
export const nodeName = z.string().refine(isNodeName, 'a node name is 1 to 64 of A-Z a-z 0-9 _ -');

/** How many: a whole number from 0. */
export const count = z.number().int().nonnegative();
