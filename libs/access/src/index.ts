/** Who may do what: rules by namespace, grants of tokens, the passes that carry them, and the proof that a session is one's own. */
export * from './decider.js';
export * from './grants.js';
export * from './namespaces.js';
export * from './pass.js';
export { isPattern, matches, matchesWords, overlaps } from './patterns.js';
export * from './placements.js';
export * from './resume.js';
export { namespacesOf, refineNamespaces } from './setting.js';
