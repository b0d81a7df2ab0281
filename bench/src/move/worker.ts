import { Broker } from '@evenkeel/broker';
import { disturb } from './disturb.js';
import type { FromWorker, ToWorker, WorkerStart } from './messages.js';
import { Mover } from './mover.js';
import { Roster } from './roster.js';

const start = JSON.parse(process.argv[2] ?? '') as WorkerStart;
const say = (message: FromWorker) => process.send?.(message);

const broker = await Broker.connect({ url: start.amqpUrl, name: 'bench mover' });
const roster = new Roster(start);
const mover = new Mover(roster, start.edges, broker.publisher());
let stopDisturbing: (() => void) | undefined;

process.on('disconnect', () => process.exit(0));
process.on('message', (message: ToWorker) => {
  switch (message.do) {
    case 'move':
      mover.pace(message.perSecond, message.from, message.to);
      return;
    case 'fault':
      stopDisturbing?.();
      stopDisturbing = message.isOn ? disturb(roster, message.fault) : undefined;
      return;
    case 'report':
      say(roster.report(message.published));
      return;
    case 'measure':
      roster.forgetDelays();
      return;
    case 'stop':
      void stop();
      return;
  }
});

const ticker = setInterval(() => {
  say({
    say: 'progress',
    connected: roster.connected,
    delivered: roster.delivered,
    moves: roster.moves,
    movesUnderWay: roster.movesUnderWay,
  });
}, 100);

await roster.connectAll();
say({ say: 'ready' });

async function stop(): Promise<void> {
  clearInterval(ticker);
  mover.pace(0, undefined, undefined);
  await roster.closeAll();
  await broker.close();
  process.exit(0);
}
