import type { Line, Outcome, Publish } from '../log.js';

/** A publish, with what became of it. */
export interface Published {
  readonly publish: Publish;
  readonly outcome: Outcome;
  readonly confirmedAt: number;
  readonly isResent: boolean;
}

/** Known by its id where it has one, else by its content alone. */
export const tagOf = (id: string | undefined, name: string, data: unknown): string =>
  id === undefined ? `${name} ${canonical(data)}` : `id ${id}`;

/** JSON with the keys of objects in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_, each: unknown) => {
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each;
    return Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Everything that was published, in the order of each publisher. */
export function publishedIn(lines: readonly Line[]): { published: Published[]; faults: string[] } {
  const faults: string[] = [];
  const confirms = new Map<string, Line & { kind: 'confirm' }>();
  const byName = new Map<string, Publish>();
  const nameOf = (line: { publisher: string; n: number }): string => `${line.publisher} ${line.n}`;
  for (const line of lines) {
    if (line.kind === 'publish') {
      if (byName.has(nameOf(line))) faults.push(`${nameOf(line)} is published twice`);
      byName.set(nameOf(line), line);
    } else if (line.kind === 'confirm') {
      if (!byName.has(nameOf(line))) faults.push(`${nameOf(line)} is confirmed and was never published`);
      else confirms.set(nameOf(line), line);
    }
  }
  // In the order of time, and so in the order of each publisher.
  const published = [...byName.values()].map((publish) => {
    const confirm = confirms.get(nameOf(publish));
    return {
      publish,
      outcome: confirm?.outcome ?? 'unknown',
      confirmedAt: confirm?.at ?? Number.POSITIVE_INFINITY,
      isResent: confirm?.resent === true,
    };
  });
  return { published, faults };
}
