interface Page {
  addEventListener?(type: string, listener: () => void, options: { signal: AbortSignal }): void;
  readonly document?: { readonly visibilityState: string };
}
const page = (): Page => globalThis as unknown as Page;

/** Hears of an event of the page until `signal` says otherwise. Node has no page. */
export const onPage = (type: string, listener: () => void, signal: AbortSignal): void =>
  page().addEventListener?.(type, listener, { signal });

export const isPage = (): boolean => !!page().document;
/** Somebody may see the page, or there is none. */
export const isShown = (): boolean => page().document?.visibilityState !== 'hidden';
