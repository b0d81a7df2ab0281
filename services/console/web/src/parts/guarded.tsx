import type { ComponentChildren } from 'preact';
import { useEffect, useErrorBoundary } from 'preact/hooks';

/** What cannot be shown says so in its own place; the rest of the page goes on. `of`: of what it is; another one is tried anew. */
export function Guarded({ of, children }: { of: string; children: ComponentChildren }) {
  const [error, again] = useErrorBoundary((thrown: unknown) => console.error(thrown));
  useEffect(again, [of]);
  if (error === undefined) return <>{children}</>;
  return (
    <>
      <h1>This cannot be shown</h1>
      <p class="trouble" role="alert" data-testid="broken">
        The answer has a form that this page does not know ({String(error)}). The other screens work; console
        and balancer may be of different versions.
      </p>
      <button type="button" onClick={again}>
        Try again
      </button>
    </>
  );
}
