import { type Cells, CellsError, cellsOf } from '@evenkeel/pace';
import { exampleMessage, hasExamplePassword, readText } from '@evenkeel/runtime';

interface MapSettings {
  readonly cells?: string | undefined;
  readonly auth?: string | undefined;
}

/** The map that `EVENKEEL_CELLS` gives, read at this moment; undefined: there is one cell alone. @throws CellsError */
export function cellMapOf({ cells, auth }: MapSettings): Cells | undefined {
  if (cells === undefined) return undefined;
  const map = cellsOf(cells, readText);
  const printed = auth === 'dev' ? undefined : map.all.find(({ amqpUrl }) => hasExamplePassword(amqpUrl));
  if (printed !== undefined)
    throw new CellsError(`the password of cell ${printed.name} at RabbitMQ: ${exampleMessage}`);
  return map;
}
