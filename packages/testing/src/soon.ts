/** Runs after what runs now, in the order of the calls. Frameworks that fake timers leave promises alone. */
export const soon = (run: () => void): void => void Promise.resolve().then(run);

// Taken while this module is loaded, so that a test's fake timers do not stop them.
const realSetTimeout = globalThis.setTimeout;

/** Resolves after everything that needs no time has happened, whatever clock the test has. */
export const turn = (): Promise<void> =>
  new Promise((resolve) => {
    realSetTimeout(resolve, 1);
  });

/** The real clock, ms. */
export const realNowMs: () => number = performance.now.bind(performance);
