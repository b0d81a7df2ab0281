import * as limits from '../limits.js';

/**
 * The nodes that have failed, with the one that has just failed, newest first. One that fails again begins anew: the
 * gateway had no other left, so that all but this one are worth another try.
 */
export const withTried = (tried: readonly string[], node: string): readonly string[] =>
  tried.includes(node) ? [node] : [node, ...tried].slice(0, limits.tried);
