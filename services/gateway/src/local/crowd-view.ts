import { z } from 'zod';

/** What the `npm start` says of its edges and its crowd. */
export const localStatus = z.looseObject({
  edges: z.array(z.object({ node: z.string(), phase: z.string() })),
  crowd: z
    .looseObject({
      clients: z.number(),
      size: z.number(),
      events: z.number(),
      eventsPerSecond: z.number(),
      lost: z.number(),
      repeated: z.number(),
      reordered: z.number(),
      gaps: z.number(),
      moves: z.number(),
      waiting: z.number(),
      nodes: z.array(z.string()),
      places: z.array(z.number()),
    })
    .nullable(),
});
export type LocalStatus = z.infer<typeof localStatus>;

/** A node as this gateway knows it from its statistics. */
export interface ReportedNode {
  readonly node: string;
  readonly state: string;
  readonly sessions: number;
}

/** What the page is drawn from; `/crowd.json`. */
export interface CrowdView {
  /** Clients of the crowd that have a connection now, of `size`. */
  readonly clients: number;
  readonly size: number;
  readonly events: number;
  readonly eventsPerSecond: number;
  readonly lost: number;
  readonly repeated: number;
  readonly reordered: number;
  readonly gaps: number;
  readonly moves: number;
  readonly waiting: number;
  /** `state`: as reported, or `starting`, `crashed`, `silent`. */
  readonly nodes: readonly ReportedNode[];
  /** Where each client of the crowd is, as an index of `nodes`; -1: nowhere at the moment. */
  readonly places: readonly number[];
  /** Whether edges can be added, stopped and killed from here. */
  readonly canControl: boolean;
}

const nobody = {
  ...{ clients: 0, size: 0, events: 0, eventsPerSecond: 0, lost: 0, repeated: 0, reordered: 0 },
  ...{ gaps: 0, moves: 0, waiting: 0 },
};

/** Statistics say how full nodes are; who started them knows first which of them come and go. */
export function crowdView(reported: readonly ReportedNode[], local: LocalStatus | undefined): CrowdView {
  const nodes = new Map<string, ReportedNode>();
  const phases = new Map(local?.edges.map(({ node, phase }) => [node, phase]));
  for (const { node, state, sessions } of reported) {
    const isKnown = phases.has(node);
    // One that was stopped goes on being remembered for a while.
    const hasLeft = local !== undefined && !isKnown && sessions === 0 && state !== 'active';
    const isSilent = state === 'suspect' || state === 'gone';
    if (!hasLeft) nodes.set(node, { node, state: isSilent ? 'silent' : state, sessions });
  }
  for (const [node, phase] of phases) {
    if (phase === 'ended') nodes.set(node, { node, state: 'crashed', sessions: 0 });
    else if (phase === 'starting' || !nodes.has(node))
      nodes.set(node, { node, state: 'starting', sessions: 0 });
  }
  const sorted = [...nodes.values()].sort((a, b) => byName(a.node, b.node));
  const { nodes: theirs = [], places = [], ...counts } = local?.crowd ?? {};
  const indexes = theirs.map((node) => sorted.findIndex((each) => each.node === node));
  return {
    ...nobody,
    ...pick(counts, nobody),
    nodes: sorted,
    places: places.map((place) => indexes[place] ?? -1),
    canControl: local !== undefined,
  };
}

/** `edge-2` before `edge-10`. */
function byName(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function pick(from: Record<string, unknown>, like: typeof nobody): Partial<typeof nobody> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => Object.hasOwn(like, name)));
}
