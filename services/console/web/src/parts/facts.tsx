import type { ComponentChildren } from 'preact';
import { count, plainName } from '../format.js';

/** Names and values, in columns where there is room. */
export function Facts({ facts }: { facts: readonly (readonly [string, ComponentChildren])[] }) {
  const known = facts.filter(([, value]) => value !== undefined);
  return (
    <dl class="facts">
      {known.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

interface CountsProps {
  readonly title: string;
  readonly counts: Readonly<Record<string, number>> | undefined;
  readonly nameOf?: (key: string) => string;
  readonly nothing: string;
}

/** How often what has happened, the most frequent first. */
export function Counts({ title, counts, nameOf = plainName, nothing }: CountsProps) {
  const rows = Object.entries(counts ?? {})
    .filter(([, n]) => n > 0)
    .sort(([, a], [, b]) => b - a);
  return (
    <section class="card small">
      <h2>{title}</h2>
      {rows.length === 0 ? (
        <p class="note">{counts === undefined ? 'Not known: the node has not answered.' : nothing}</p>
      ) : (
        <ul class="counts">
          {rows.map(([key, n]) => (
            <li key={key}>
              <span>{nameOf(key)}</span>
              <strong>{count(n)}</strong>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
