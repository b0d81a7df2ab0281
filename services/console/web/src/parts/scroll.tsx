import type { ComponentChildren } from 'preact';

/** A table that may be wider than a phone: it takes the focus, so that the arrow keys move it sideways. */
export function Scroll({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to take the focus
    <section class="scroll" aria-label={name} tabIndex={0}>
      {children}
    </section>
  );
}
