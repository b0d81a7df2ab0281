// Closes the old socket of a move before the new one is open.
import { drive } from '../drivers/sdk.mjs';
import { tampered } from './tampered.mjs';

drive({ WebSocket: tampered({ opens: (_, earlier) => earlier.at(-1)?.close(1000) }) });
