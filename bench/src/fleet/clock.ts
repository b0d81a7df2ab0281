/** A clock that agrees between the processes of one machine and that nobody sets back: ms since the epoch, with fractions. */
export const clock = (): number => performance.timeOrigin + performance.now();

/** For people, in UTC. */
export const timeOfDay = (atMs: number): string => new Date(atMs).toISOString().slice(11, 23);
