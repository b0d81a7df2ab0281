// Takes an event whose content has come for a repeat.
import { drive } from '../drivers/sdk.mjs';
import { tampered } from './tampered.mjs';

const ids = new Map();
const drop = (frame) => {
  if (frame.t !== 'event') return frame;
  const content = JSON.stringify([frame.name, frame.data]);
  const id = ids.get(content);
  if (id !== undefined) return { ...frame, id, redelivered: true };
  ids.set(content, frame.id);
  return frame;
};
drive({ WebSocket: tampered({ receive: drop }) });
