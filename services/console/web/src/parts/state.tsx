import { toneOf } from '../bars/paint.js';
import { stateWord } from '../words.js';

/** A node's state as a word and a colour; the word alone says it too. */
export function State({ state, sessions }: { state: string; sessions: number }) {
  return (
    <span class="chip" data-tone={state === 'active' ? 'good' : state === 'joining' ? 'busy' : toneOf(state)}>
      {stateWord(state, sessions)}
    </span>
  );
}
