// Comes back after every close, also after those that say stop, and without a pause.
import { drive } from '../drivers/sdk.mjs';
import { tampered } from './tampered.mjs';

drive({ WebSocket: tampered({ closed: () => 1006 }), backoff: { minMs: 1, maxMs: 2 } });
