/**
 * Text is handed over as bytes: on Node 24 this uWebSockets.js writes a string of Latin-1 characters as it lies in memory,
 * which is not UTF-8, and the client fails the connection.
 */
export const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');
