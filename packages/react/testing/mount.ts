import { createElement, type ReactNode, StrictMode, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { onTestFinished, vi } from 'vitest';
import { type AnyClient, EvenkeelProvider } from '../src/provider.js';

/** What React asks of a page in which no component shows anything. */
function page(): object {
  const listening = { addEventListener: () => {}, removeEventListener: () => {} };
  const ownerDocument = { nodeType: 9, defaultView: undefined, activeElement: null, ...listening };
  return { nodeType: 1, nodeName: 'DIV', tagName: 'DIV', namespaceURI: '', ownerDocument, ...listening };
}

function Component({ run }: { readonly run: () => unknown }): null {
  run();
  return null;
}

/** Calls `done` behind each commit, once what is below it is mounted. */
function Root({ done, children }: { readonly done: () => void; readonly children?: ReactNode }): ReactNode {
  useEffect(done);
  return children;
}

/** Behind what React does at once, and behind promises. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

/** A component of one hook in StrictMode. `render`: with another value or another client; without a client it goes. */
export function mount<Value, Seen>(use: (value: Value) => Seen) {
  vi.stubGlobal('window', { HTMLIFrameElement: class {} });
  const root = createRoot(page());
  const renders: Seen[] = [];
  /** Resolves once it is mounted so, and what follows from that has happened. */
  const render = async (value: Value, client?: AnyClient): Promise<void> => {
    const component = createElement(Component, { run: () => renders.push(use(value)) });
    const under = client && createElement(EvenkeelProvider, { client }, component);
    await new Promise<void>((done) => {
      root.render(createElement(StrictMode, null, createElement(Root, { done }, under)));
    });
    await turn();
  };
  onTestFinished(async () => {
    await render(undefined as Value);
    root.unmount();
    await turn();
  });
  return { renders, render, seen: () => renders.at(-1) as Seen };
}
