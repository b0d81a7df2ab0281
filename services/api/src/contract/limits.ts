/** Messages of one answer about what came behind a position; the rest follows by its `position`. */
export const maxPageMessages = 1_000;
/** Messages at most by `last`, and unless it is given. */
export const lastMessages = { most: 1_000, byDefault: 100 } as const;
