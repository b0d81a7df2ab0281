import type { WantedTopic } from '@evenkeel/protocol/wire';
import type { EdgeSocket } from '../transport/edge-socket.js';

/**
 * Who subscribes before there is a connection is in `hello`, and the `subscribe` that waited goes out behind it all the same, to be
 * answered. The past of the topic must not come twice: what `hello` of this socket has said of it, the `subscribe` leaves out. Not one whose
 * id is in `anew`: that is to begin the topic anew.
 */
export function sayPastOnce(
  socket: EdgeSocket,
  inHello: readonly (string | WantedTopic)[],
  anew: ReadonlySet<string>,
): void {
  const told = new Set(inHello.flatMap((wanted) => (typeof wanted === 'string' ? [] : [wanted.topic])));
  if (told.size === 0) return;
  const send = socket.send.bind(socket);
  socket.send = (text) => {
    if (told.size === 0 || !/^\{"t":"(un)?subscribe"/.test(text)) return send(text);
    const { since, last, ...frame } = JSON.parse(text) as WantedTopic & { readonly id: string };
    if (anew.has(frame.id)) return send(text);
    send(told.delete(frame.topic) ? JSON.stringify(frame) : text);
  };
}
