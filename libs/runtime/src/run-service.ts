import { ConfigError } from './config.js';
import { Lifecycle } from './lifecycle.js';
import { createLog, type Log } from './log.js';

/** Exit codes of {@link runService}. */
export const EXIT_CODES = { clean: 0, failed: 1, stopTimedOut: 2 } as const;

/** What a service is given to start with. */
export interface ServiceContext {
  readonly log: Log;
  /** Add steps here; they are started after `start` resolves. */
  readonly lifecycle: Lifecycle;
  /** Aborted when stopping begins. */
  readonly signal: AbortSignal;
  /** Stops the service as a signal would. */
  stop(reason: string): void;
}

/** How to run a service. */
export interface ServiceOptions {
  name: string;
  /** Builds the service; may start it too and return how to stop it. */
  start(context: ServiceContext): Promise<{ stop?(): Promise<void> | void } | undefined | void>;
  /** For every step of stopping. Default 10000; the whole takes at most three times as long. */
  stopTimeoutMs?: number;
  log?: Log;
}

/**
 * Runs a service until a signal. SIGTERM and SIGINT stop it once, in reverse order; a second signal exits at
 * once. A parent that disconnects its IPC channel stops it too. Exit codes: 0 stopped, 1 failed to start or
 * met an uncaught error, 2 did not stop in time.
 */
export async function runService(options: ServiceOptions): Promise<void> {
  const log = options.log ?? createLog({ service: options.name });
  const stopTimeoutMs = options.stopTimeoutMs ?? 10_000;
  const lifecycle = new Lifecycle(log);
  const aborting = new AbortController();
  let exitCode: number = EXIT_CODES.clean;
  let isStopping = false;

  const exit = (code: number) => process.exit(code);
  const stop = (reason: string) => {
    if (isStopping) return;
    isStopping = true;
    aborting.abort(new Error(reason));
    setTimeout(() => {
      log.fatal({ reason }, 'stop timed out');
      exit(EXIT_CODES.stopTimedOut);
    }, stopTimeoutMs * 3).unref();
    void lifecycle.stop(reason, stopTimeoutMs).then((isClean) => {
      exit(exitCode === EXIT_CODES.clean && !isClean ? EXIT_CODES.stopTimedOut : exitCode);
    });
  };
  const onSignal = (signal: NodeJS.Signals) => {
    if (isStopping) {
      log.warn({ signal }, 'second signal, exiting at once');
      exit(exitCode === EXIT_CODES.clean ? EXIT_CODES.stopTimedOut : exitCode);
    }
    stop(signal);
  };
  const onUncaught = (event: 'uncaught exception' | 'unhandled rejection') => (error: unknown) => {
    log.fatal({ err: error }, event);
    exitCode = EXIT_CODES.failed;
    stop(event);
  };
  // Whoever read the log may be gone: no reason to fail, least of all while stopping.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('uncaughtException', onUncaught('uncaught exception'));
  process.on('unhandledRejection', onUncaught('unhandled rejection'));
  if (process.send) {
    process.on('disconnect', () => stop('parent disconnected'));
    // A parent that died while this process was loading has told nobody.
    if (!process.connected) stop('parent disconnected');
  }

  try {
    const app = await options.start({ log, lifecycle, signal: aborting.signal, stop });
    if (app?.stop) lifecycle.defer(options.name, () => app.stop?.());
    if (!isStopping) await lifecycle.start(stopTimeoutMs);
  } catch (error) {
    if (isStopping) return;
    isStopping = true;
    // A bad setting is the operator's to read, a stack would bury it.
    if (error instanceof ConfigError) log.fatal({ variables: error.variables }, error.message);
    else log.fatal({ err: error }, 'start failed');
    await lifecycle.stop('start failed', stopTimeoutMs);
    exit(EXIT_CODES.failed);
  }
}
