import type { CloseCode } from '@evenkeel/protocol';

/** What a stream says to keep those in between awake, and to notice that nobody reads. */
export const commentText = ':\n\n';

/** Before a frame in its event. */
export const dataPrefix = 'data: ';

/** A frame as an event of the stream. It may have line breaks, since bodies are carried as they are: between JSON's words only. */
export function frameText(frame: string): string {
  if (!/[\r\n]/.test(frame)) return `${dataPrefix}${frame}\n\n`;
  return `data: ${frame.split(/\r\n|\r|\n/).join('\ndata: ')}\n\n`;
}

/** The first event: as whom the client posts. */
export const connectionText = (connection: string): string =>
  `event: connection\n${frameText(JSON.stringify({ connection }))}`;

/** The last event. */
export const closeText = ({ code, reason }: Pick<CloseCode, 'code' | 'reason'>): string =>
  `event: close\n${frameText(JSON.stringify({ code, reason }))}`;

/** The frames of a posted body: one a line. */
export const linesOf = (body: string): string[] => body.split(/\r?\n/).filter((line) => line.trim() !== '');
