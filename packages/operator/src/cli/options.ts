/** Options that every command takes. */
export interface CommonOptions {
  json?: boolean;
  amqpUrl?: string;
  timeout?: number;
}
