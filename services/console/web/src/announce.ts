/**
 * What a screen reader is told without asking: that something began, ended or went wrong, not each number on the way.
 */
import { counted } from './format.js';
import type { Status } from './types.js';
import { planWord, stateWord } from './words.js';

/** What is worth a word when it changes. */
export interface Told {
  readonly isStale: boolean;
  readonly isPaused: boolean;
  readonly plan: string | undefined;
  readonly states: ReadonlyMap<string, string>;
}

/** Nodes that are named in one announcement; beyond them, how many. */
const maxNamed = 3;

export function toldOf(status: Status | undefined, isStale: boolean): Told {
  const { plan } = status ?? {};
  return {
    isStale,
    isPaused: status?.isPaused ?? false,
    plan: plan?.id ? `${plan.kind ?? 'plan'} ${plan.state ?? ''}` : undefined,
    states: new Map(status?.nodes.map(({ node, state, sessions }) => [node, stateWord(state, sessions)])),
  };
}

/** The sentence for what has changed; undefined: nothing has. */
export function announce(before: Told, now: Told): string | undefined {
  const sentences = [
    before.isStale === now.isStale
      ? undefined
      : now.isStale
        ? 'The view is stale.'
        : 'The view is current again.',
    before.isPaused === now.isPaused ? undefined : `Rebalancing is ${now.isPaused ? 'paused' : 'on again'}.`,
    before.plan === now.plan ? undefined : planSentence(before.plan, now.plan),
    nodesSentence(before.states, now.states),
  ].filter((sentence) => sentence !== undefined);
  return sentences.length === 0 ? undefined : sentences.join(' ');
}

function planSentence(before: string | undefined, now: string | undefined): string {
  const [kind = '', state = ''] = (now ?? before ?? '').split(' ');
  const word = planWord[kind] ?? 'Plan';
  return now === undefined ? `${word} has ended.` : `${word} is ${state || 'running'}.`;
}

function nodesSentence(
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): string | undefined {
  // The first view tells nothing: the page itself has just been read.
  if (before.size === 0) return undefined;
  const changed = [
    ...[...now]
      .filter(([node, state]) => before.get(node) !== state)
      .map(([node, state]) => `${node} ${state === 'no answer' ? 'does not answer' : `is ${state}`}.`),
    ...[...before.keys()].filter((node) => !now.has(node)).map((node) => `${node} has left.`),
  ];
  if (changed.length === 0) return undefined;
  return changed.length <= maxNamed ? changed.join(' ') : `${counted(changed.length, 'node')} have changed.`;
}
