// Sends a push for what did not arrive: node examples/offline-push.mjs
// An argument is the broker's address, else it is where the mesh of `npm start` is. Ctrl-C stops. It needs `npm install amqplib`.
import amqp from 'amqplib';
import { addressOf } from './address.mjs';

const connection = await amqp.connect(addressOf('appAmqpUrl', process.argv[2]));
const channel = await connection.createChannel();
await channel.prefetch(32);

// It waits here while this program is restarted, up to a limit.
const { queue } = await channel.assertQueue('service.shop.push', {
  durable: true,
  arguments: { 'x-queue-type': 'classic', 'x-max-length': 100_000 },
});
await channel.bindQueue(queue, 'mesh.sessions', '#');
await channel.bindQueue(queue, 'mesh.undelivered', 'user.*.order.#'); // what is worth a push

/** Sessions with a connection by user, and what has been pushed: in your database in production. */
const connected = new Map();
const pushed = new Set();

function onSession(what, { user, session }) {
  const sessions = connected.get(user) ?? new Set();
  if (what === 'opened' || what === 'resumed') sessions.add(session);
  else sessions.delete(session); // detached, ended
  connected.set(user, sessions);
}

/** One message comes for each session that an event was dropped for, and perhaps again. */
function onUndelivered({ routingKey }, { messageId, headers }, data) {
  const { 'evenkeel-user': user, 'evenkeel-session': session, 'evenkeel-why': why } = headers;
  const others = new Set(connected.get(user));
  others.delete(session);
  // On another device the user has it.
  if (pushed.has(messageId) || others.size > 0) return;
  pushed.add(messageId);
  const event = routingKey.split('.').slice(2).join('.');
  console.log(`push to ${user}: ${event} ${JSON.stringify(data)} (${why})`);
}

await channel.consume(queue, (message) => {
  const { fields, properties, content } = message;
  const body = JSON.parse(content.toString());
  if (fields.exchange === 'mesh.sessions') onSession(fields.routingKey.split('.').at(-1), body);
  else onUndelivered(fields, properties, body);
  channel.ack(message);
});
console.log('watching for what does not arrive');

process.once('SIGINT', () => connection.close());
