import { setTimeout as sleep } from 'node:timers/promises';
import { createPublisher, type Publisher } from '@evenkeel/publisher';
import { addOne } from '../../fleet/counts.js';

export const methods = { request: 'shop.ask', stream: 'shop.tell' } as const;
export const answerTo = (name: string): string => `answer to ${name}`;
/** Answers under way at a time; more than are asked for. */
const concurrency = 2_000;

/** The service that is called: what it answers names the question, and it counts how often it was asked each. */
export class CalledService {
  readonly runs: Record<string, number> = {};
  readonly #publisher: Publisher;

  private constructor(publisher: Publisher) {
    this.#publisher = publisher;
  }

  /** `parts`: of each answer in parts, one each `partMs`; `requestMs`: how long the others take. */
  static async start(
    amqpUrl: string,
    { parts, partMs, requestMs }: { parts: number; partMs: number; requestMs: number },
  ): Promise<CalledService> {
    const publisher = await createPublisher({ amqpUrl, name: 'shop', attempts: 3 });
    const service = new CalledService(publisher);
    const { runs } = service;
    await publisher.serve(
      methods.request,
      async ({ data }) => {
        const name = String(data);
        addOne(runs, name);
        await sleep(requestMs);
        return answerTo(name);
      },
      { concurrency },
    );
    await publisher.serve(
      methods.stream,
      async function* ({ data }) {
        const name = String(data);
        addOne(runs, name);
        for (let n = 0; n < parts; n += 1) {
          await sleep(partMs);
          yield { of: answerTo(name), n };
        }
      },
      { concurrency },
    );
    return service;
  }

  async close(): Promise<void> {
    await this.#publisher.close();
  }
}
