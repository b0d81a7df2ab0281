/** What a balancer reads of what strangers send, for those who try how it stands that (test/fuzz). Nothing of the mesh imports it. */
export { isAnswerable, readQuestion } from './asking/question.js';
export { refuseEntry, senderOf } from './manage/admission.js';
export { read as readManageCommand } from './manage/read.js';
export { isReplyAddress } from './manage/reply-address.js';
export { readOrder } from './topics/placements.js';
