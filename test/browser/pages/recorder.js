// What an application sees of its client, written down. In a page and in a worker alike.
import { connect } from '/evenkeel.js';

/** Connects with the settings of the address: `gateway`, `user` and `topic`. */
export function record(search) {
  const { gateway, user, topic } = Object.fromEntries(new URLSearchParams(search));
  const client = connect({ gateway, user });
  const seen = { events: [], messages: [], statuses: [], errors: [] };
  client.on('number', ({ data }) => seen.events.push(data));
  client.onStatus(({ type, ...fields }) => seen.statuses.push({ type, ...fields }));
  client
    .subscribe(topic, ({ data }) => seen.messages.push(data))
    .then(
      () => seen.statuses.push({ type: 'subscribed' }),
      (error) => seen.errors.push(String(error)),
    );
  return () => ({ ...seen, state: client.state, node: client.node, session: client.session });
}
