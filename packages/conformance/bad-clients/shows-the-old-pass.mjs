// Goes on with the pass that it was given first, whatever a refresh has brought.
import { drive } from '../drivers/sdk.mjs';
import { tampered } from './tampered.mjs';

let first;
const send = (frame) => {
  if (frame.t !== 'hello') return frame;
  first ??= frame.pass;
  return { ...frame, pass: first };
};
drive({ WebSocket: tampered({ send }) });
