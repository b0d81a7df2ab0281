// Acknowledges what has come, not what is handled.
import { drive } from '../drivers/sdk.mjs';
import { tampered } from './tampered.mjs';

const ack = (frame, socket) => {
  if (frame.t === 'event') socket.send(JSON.stringify({ t: 'ack', seq: frame.seq }));
  return frame;
};
drive({ WebSocket: tampered({ receive: ack }) });
