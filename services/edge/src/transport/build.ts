import { Origins } from '@evenkeel/runtime';
import type { EdgeConfig } from '../config.js';
import { Users } from '../user/users.js';
import { Gate, type GateOptions } from './gate.js';
import { HandshakeLimits } from './handshakes.js';
import { PendingConnections } from './pending.js';
import { Room } from './room.js';

interface AdmissionOptions extends Pick<GateOptions, 'tickets' | 'node' | 'cameBack' | 'isHere' | 'denies'> {
  readonly config: EdgeConfig;
  now(): number;
}

/** Who may connect, and how many at a time. */
export function admissionOf({ config, now, ...asked }: AdmissionOptions) {
  const room = new Room(config);
  const users = new Users(config, now);
  const origins = new Origins(config.origins);
  const handshakes = new HandshakeLimits(config, Math.random);
  const gate = new Gate({ ...asked, room, origins, users, handshakes });
  const pending = new PendingConnections({ ...config, maxPerAddress: config.maxPendingPerAddress, room });
  return { room, users, origins, gate, pending };
}
