import type { MessageHandler } from '../topics/topics.js';

/** In the place of a handler: of who wants something else of a topic than its messages, such as who is there. */
export const unheard: MessageHandler = () => {};
