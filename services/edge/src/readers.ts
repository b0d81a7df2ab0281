/** What an edge reads of what strangers send, for those who try how it stands that (test/fuzz). Nothing of the mesh imports it. */

export type { RawJson } from '@evenkeel/mesh';
export { ClientText } from './frame/client-text.js';
export {
  askFrame,
  eventFrame,
  isReply,
  messageFrame,
  partFrame,
  placed,
  replyFrame,
} from './frame/frames.js';
export { historyFrame, historyItem, placeLength, placeOf, topicOf } from './frame/placed.js';
export { nameFor, topicsOf } from './frame/routing.js';
export { Placing } from './placing/placing.js';
export { type Incoming, plainAckSeq, readFrame, readWithin } from './session/inbox.js';
export { isOnlyOnline, marksOf } from './session/marks.js';
export { isLongHello } from './transport/payload.js';
