import { expect, test } from 'vitest';
import { explain, readdress } from './addresses.js';

const printed = { broker: 5672, gateway: 8080, firstEdge: 8101, console: 8090, api: 8070 };
const others = { broker: 20_001, gateway: 20_002, firstEdge: 8101, console: 8090, api: 8070 };

test('leaves every address as it is printed while the ports are free', () => {
  const text =
    "connect({ gateway: 'http://127.0.0.1:8080' }); // amqp://guest:guest@127.0.0.1:5672 or :15672";
  expect(readdress(text, printed)).toBe(text);
  expect(explain(printed)).toBeUndefined();
});

test('puts the ports of this run in place of those that are taken, and says so in one line', () => {
  expect(readdress('curl http://localhost:8080/gateway 127.0.0.1:80801', others)).toBe(
    'curl http://localhost:20002/gateway 127.0.0.1:80801',
  );
  expect(
    readdress(
      "URLParameters('amqp://a:b@127.0.0.1:5672/v') 'amqp://127.0.0.1' amqp://x@localhost:15672",
      others,
    ),
  ).toBe("URLParameters('amqp://a:b@127.0.0.1:20001/v') 'amqp://127.0.0.1:20001' amqp://x@localhost:15672");
  expect(explain(others)).toBe(
    'Taken by something else: port 5672 (here 20001), 8080 (here 20002). The printed addresses are read with the ports in brackets.',
  );
});
