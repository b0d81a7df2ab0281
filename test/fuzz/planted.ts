import { jsonOf } from './same.js';
import { Broken, type Target } from './target.js';

/** A parser with a fault behind a shape that no input of its corpus has: an order with several lines, of which one is none. */
export const planted: Target = {
  name: 'planted',
  about: 'what proves that faults are found',
  maxBytes: 4_096,
  words: ['order', 'lines', 'price', 'number'],
  run(input) {
    const value = jsonOf(input.toString('utf8'))?.value;
    if (typeof value !== 'object' || value === null || !('order' in value)) return;
    const { order } = value;
    if (typeof order !== 'object' || order === null || !('lines' in order)) return;
    const { lines } = order;
    if (!Array.isArray(lines)) return;
    if (!lines.includes(null)) return;
    if (lines.length < 2) return;
    throw new Broken('an order has no line that is none', lines);
  },
};
