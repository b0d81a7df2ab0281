// Prints what a user gets, across moves and reconnects: node examples/client.mjs alice
// A second argument is the gateway's address. Ctrl-C closes.
import { connect } from '@evenkeel/client';

const [user = 'alice', gateway = 'http://127.0.0.1:8080'] = process.argv.slice(2);

const client = connect({ gateway, user });

client.on('*', ({ name, data, id }) => console.log(name, JSON.stringify(data), id));
client.onStatus((status) => console.log('status', status));
await client.subscribe('prices.demo', ({ data }) => console.log('price', data));

process.once('SIGINT', () => client.close());
