import type { AmqpFigures } from '@evenkeel/protocol';
import { count } from '../format.js';
import { Scroll } from './scroll.js';

/** A part's connections to RabbitMQ, by what each is for. */
export function Connections({ connections }: { connections: Readonly<Record<string, AmqpFigures>> }) {
  return (
    <Scroll name="Connections">
      <table>
        <thead>
          <tr>
            <th scope="col">Connection</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Channels
            </th>
            <th scope="col" class="number">
              Consumers
            </th>
            <th scope="col" class="number">
              Unconfirmed
            </th>
            <th scope="col" class="number">
              Waiting
            </th>
            <th scope="col" class="number">
              Reconnects
            </th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(connections).map(([name, each]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                <span class="chip" data-tone={toneOf(each)}>
                  {stateOf(each)}
                </span>
              </td>
              <td class="number">{count(each.channels)}</td>
              <td class="number">{count(each.consumers)}</td>
              <td class="number">{count(each.unconfirmed)}</td>
              <td class="number">{count(each.waiting + each.operationsWaiting)}</td>
              <td class="number">{count(each.reconnects)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function stateOf({ isConnected, isBlocked, recovering }: AmqpFigures): string {
  if (!isConnected) return 'not connected';
  if (isBlocked) return 'blocked by an alarm';
  return recovering > 0 ? `${count(recovering)} recovering` : 'connected';
}

function toneOf({ isConnected, isBlocked, recovering }: AmqpFigures): 'good' | 'warn' | 'bad' {
  if (!isConnected || isBlocked) return 'bad';
  return recovering > 0 ? 'warn' : 'good';
}
