// Tells nobody of a gap.
import { drive } from '../drivers/sdk.mjs';
import { tampered } from './tampered.mjs';

drive({ WebSocket: tampered({ receive: (frame) => (frame.t === 'gap' ? undefined : frame) }) });
