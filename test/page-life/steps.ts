/** What pages there are: how many clients, and whose. `a` and `b` are two users. */
export const variants = {
  one: { users: ['a'] },
  other: { users: [] },
  two: { users: ['a', 'b'] },
  turned: { users: ['b', 'a'] },
  twins: { users: ['a', 'a'] },
  framed: { users: ['a'], frame: true },
} as const satisfies Record<string, { readonly users: readonly string[]; readonly frame?: true }>;
export type Variant = keyof typeof variants;

/** `tab`: one of those that are open, counted round. */
export type Step = { readonly pauseMs: number; readonly tab: number } & (
  | { readonly do: 'visit' | 'open'; readonly variant: Variant }
  | { readonly do: 'go'; readonly by: number }
  | { readonly do: 'freeze' | 'hide' | 'offline' | 'without handlers'; readonly ms: number }
  | {
      readonly do:
        | 'reload'
        | 'duplicate'
        | 'close'
        | 'crash'
        | 'handlers'
        | 'move'
        | 'add frame'
        | 'remove frame';
    }
);

/** Mulberry32: numbers from 0 to 1, the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const weights: readonly (readonly [Step['do'], number])[] = [
  ['visit', 5],
  ['go', 8],
  ['reload', 2],
  ['duplicate', 2],
  ['open', 1],
  ['close', 1],
  ['crash', 1],
  ['freeze', 1],
  ['hide', 1],
  ['offline', 1],
  ['handlers', 1],
  ['without handlers', 1],
  ['move', 3],
  ['add frame', 1],
  ['remove frame', 1],
];
const total = weights.reduce((sum, [, weight]) => sum + weight, 0);

/** The sequence of a seed. Its first steps are those of the same seed with a smaller `count`. */
export function stepsOf(seed: number, count: number): Step[] {
  const random = randomOf(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const kind = (): Step['do'] => {
    let at = random() * total;
    for (const [what, weight] of weights) {
      at -= weight;
      if (at < 0) return what;
    }
    return 'go';
  };
  const variant = (): Variant => {
    const names = Object.keys(variants) as Variant[];
    // Half of all pages are plain: what is seldom must not hide what is usual.
    return random() < 0.5 ? 'one' : (names[below(names.length)] ?? 'one');
  };
  const step = (what: Step['do']): Step => {
    // Some steps come while the one before is still under way.
    const common = { pauseMs: random() < 0.3 ? below(60) : 150 + below(500), tab: below(6) };
    if (what === 'visit' || what === 'open') return { ...common, do: what, variant: variant() };
    if (what === 'go') return { ...common, do: what, by: [-1, -1, -1, -2, -3, 1, 1, 2][below(8)] ?? -1 };
    if (what === 'freeze' || what === 'hide' || what === 'offline' || what === 'without handlers')
      return { ...common, do: what, ms: 100 + below(1_500) };
    return { ...common, do: what };
  };
  return Array.from({ length: count }, () => step(kind()));
}
