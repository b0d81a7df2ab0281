/**
 * Ms on a clock that only goes ahead. Everything that lasts is measured by it: deadlines, ages, rates. It means nothing to
 * another process, and may stand still while the machine sleeps.
 */
export const monotonicNow = (): number => performance.now();

const { timeOrigin } = performance;

/**
 * Ms since the epoch when this process began, and from then on as time passes: like {@link monotonicNow} it takes no step when
 * the host's clock is set. Tickets are judged by it, and observers measure how far it is from their own.
 */
export const steadyNow = (): number => Math.round(timeOrigin + performance.now());

/** Ms since the epoch as the host has it: for what people and other systems read. It steps whenever somebody sets it. */
export const wallNow = (): number => Date.now();
