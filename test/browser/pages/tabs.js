// A tab that shares its connection with others of its user.
import { connectTabs } from '/evenkeel.full.js';

const { gateway, user } = Object.fromEntries(new URLSearchParams(location.search));
const worker = () => new SharedWorker('/tabs-worker.js', { type: 'module', name: user });
const client = connectTabs({ gateway, user, worker });
const seen = { events: [], messages: [], statuses: [] };
client.onStatus(({ type }) => seen.statuses.push(type));
client.on('number', ({ data }) => seen.events.push(data));
// Of the tabs that hang, none handles it.
client.on('hang', () => (location.hash === '#hangs' ? new Promise(() => {}) : undefined));
globalThis.subscribe = async (topic) => {
  await client.subscribe(topic, ({ data }) => seen.messages.push(data));
};
globalThis.request = (method, data) =>
  client.request(method, data).catch(({ code, source }) => ({ code, source }));
globalThis.publish = (topic, data) => client.publish(topic, data);
globalThis.seen = () => ({ ...seen, state: client.state });
