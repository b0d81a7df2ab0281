/** A clock that agrees between the processes of one machine and that nobody sets back: ms since the epoch, with fractions. */
export const clock = (): number => performance.timeOrigin + performance.now();
