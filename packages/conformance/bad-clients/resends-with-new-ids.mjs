// Gives a call another id each time it is sent, so that services take its repeat for another call.
import { drive } from '../drivers/sdk.mjs';
import { tampered } from './tampered.mjs';

const own = new Map();
let count = 0;
const rename = (frame) => {
  if (frame.t !== 'publish' && frame.t !== 'request') return frame;
  const id = `call-${++count}`;
  own.set(id, frame.id);
  return { ...frame, id };
};
const nameBack = (frame) => ('re' in frame ? { ...frame, re: own.get(frame.re) ?? frame.re } : frame);
drive({ WebSocket: tampered({ send: rename, receive: nameBack }) });
