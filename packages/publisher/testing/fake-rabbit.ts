import { EventEmitter } from 'node:events';

/** A RabbitMQ that has every exchange, for `dial`: takes what is published, and confirms it. */
export class FakeRabbit {
  /** Routing keys, as they came. */
  readonly published: string[] = [];
  readonly dial = async (): Promise<object> =>
    Object.assign(new EventEmitter(), {
      connection: { stream: { destroy: () => {} }, serverProperties: { version: '4.0.5' } },
      close: async () => {},
      createChannel: async () => this.#channel(),
      createConfirmChannel: async () => this.#channel(),
    });

  #channel(): object {
    const publish = (_exchange: string, key: string, _body: Buffer, _options: object, done: () => void) => {
      this.published.push(key);
      setImmediate(done);
      return true;
    };
    const close = async () => {};
    return Object.assign(new EventEmitter(), { publish, close, checkExchange: close });
  }
}
