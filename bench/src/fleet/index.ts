export { type Fleet, startFleet } from './fleet.js';
export { type NumberedPublisher, startNumberedPublisher } from './numbered-publisher.js';
export { until } from './until.js';
