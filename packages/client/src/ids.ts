/** An id that an edge has derived from content, which different events may share. */
export const isDerived = (id: string): boolean => id.startsWith('~');
