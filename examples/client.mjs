// Prints what a user gets, across moves and reconnects: node examples/client.mjs alice
// A second argument is the gateway's address, else it is where the mesh of `npm start` is. Ctrl-C closes.
import { connect } from '@evenkeel/client';
import { addressOf } from './address.mjs';

const [user = 'alice', given] = process.argv.slice(2);
const gateway = addressOf('gateway', given);

const client = connect({ gateway, user });

client.on('*', ({ name, data, id }) => console.log(name, JSON.stringify(data), id));
client.onStatus((status) => console.log('status', status));
await client.subscribe('prices.demo', ({ data }) => console.log('price', data));

process.once('SIGINT', () => client.close());
