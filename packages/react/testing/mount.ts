import { createElement, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { onTestFinished, vi } from 'vitest';
import { type AnyClient, EvenkeelProvider } from '../src/provider.js';

/** What React asks of a page in which no component shows anything. */
function page(): object {
  const listening = { addEventListener: () => {}, removeEventListener: () => {} };
  const ownerDocument = { nodeType: 9, defaultView: undefined, activeElement: null, ...listening };
  return { nodeType: 1, nodeName: 'DIV', tagName: 'DIV', namespaceURI: '', ownerDocument, ...listening };
}

/** Once React has done what it does not do at once. */
const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));

function Component({ run }: { readonly run: () => unknown }): null {
  run();
  return null;
}

/** A component of one hook in StrictMode. `render`: with another value or another client; without a client it goes. */
export function mount<Value, Seen>(use: (value: Value) => Seen) {
  vi.stubGlobal('window', { HTMLIFrameElement: class {} });
  const root = createRoot(page());
  onTestFinished(async () => {
    root.unmount();
    await soon();
  });
  const renders: Seen[] = [];
  /** Resolves once what was rendered is mounted, and what follows from that at once has happened. */
  const render = async (value: Value, client?: AnyClient): Promise<void> => {
    const component = createElement(Component, { run: () => renders.push(use(value)) });
    const under = client && createElement(EvenkeelProvider, { client }, component);
    root.render(createElement(StrictMode, null, under));
    await soon();
  };
  return { renders, render, seen: () => renders.at(-1) as Seen };
}
