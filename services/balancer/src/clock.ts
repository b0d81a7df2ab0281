/**
 * Ms since the epoch when the process began, and from then on as time passes: it does not step when the host's clock is set,
 * so no node seems to be silent, or to report from the future, because of that.
 */
export const steadyNowMs = (): number => Math.round(performance.timeOrigin + performance.now());
