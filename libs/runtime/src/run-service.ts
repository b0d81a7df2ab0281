import { ConfigError, type ConfigSchema, loadConfig } from './config.js';
import { Lifecycle } from './lifecycle.js';
import { createLog, type Log, type LogFormat, type LogLevel } from './log.js';
import { type Ops, OpsServer } from './ops-server.js';
import { unknownVariables } from './variables.js';

/** 0: stopped in order. 1: could not start, or an error that nothing caught. 2: did not stop in time. */
const exitCodes = { clean: 0, failed: 1, stopTimedOut: 2 } as const;

/** Beside the longest step, stopping everything may take this long. */
const stopAllowanceMs = 20_000;

/** What a service is built with. */
export interface ServiceContext {
  /** Add steps here; they start in their order once everything is built, and stop in reverse. `ops` is there already. */
  readonly lifecycle: Lifecycle;
  readonly log: Log;
  /** Aborted when stopping begins. */
  readonly signal: AbortSignal;
  /** What `/readyz`, `/metrics` and `/status` say. `/readyz` already names the step that is still starting. */
  readonly ops: Ops;
  /** Stops the service in order, exit code 1: it cannot do what it is for. What `error` says is what its operator reads. */
  giveUp(error: Error): void;
  /** `fn` is called on each SIGHUP, which ends a service that has nothing to read anew. What it throws is logged. */
  onReload(fn: () => void): void;
}

/** The settings that {@link runService} itself goes by: `commonSettings`. */
interface CommonConfig {
  opsPort: number;
  opsHost: string;
  opsToken?: string | undefined;
  opsHosts?: string[] | undefined;
  logLevel: LogLevel;
  logFormat: LogFormat;
  /** Named in every log line and metric. */
  node?: string;
  /** The version that is deployed, where a setting says so. */
  version?: string;
}

/** A service: its settings, and how it is built from them. */
interface ServiceOptions<C extends CommonConfig> {
  name: string;
  /** The settings; `commonSettings` among them. */
  config: ConfigSchema<C>;
  /** Puts the service together and adds its steps. Touches nothing: no I/O, no timer; that is what steps are for. */
  build(config: C, context: ServiceContext): void;
}

/**
 * Runs a service until a signal: reads its settings, answers `/healthz` at once and `/readyz` with the reason, builds it
 * and starts its steps. SIGTERM and SIGINT stop it once, in reverse order; a second signal exits at once. A parent that
 * disconnects its IPC channel stops it too. A setting that cannot be used is one line on standard error.
 * Exit codes: 0 stopped, 1 failed to start or met an uncaught error, 2 did not stop in time.
 */
export async function runService<C extends CommonConfig>(options: ServiceOptions<C>): Promise<void> {
  const config = settingsOf(options);
  const { name } = options;
  const { node, logLevel: level, logFormat: format, opsPort, opsHost } = config;
  const { opsToken: token, opsHosts: hosts, version } = config;
  const log = createLog({ service: name, node, level, format });
  for (const { variable, didYouMean } of unknownVariables(process.env)) {
    log.warn({ variable, didYouMean }, 'no service knows this variable, ignored');
  }
  const lifecycle = new Lifecycle(log);
  const { stop, fail, signal } = untilStopped(lifecycle, log);

  const ops = new OpsServer({ port: opsPort, host: opsHost, token, hosts, service: name, node, version });
  ops.readiness('started', () => lifecycle.readiness());
  // First, and so the last to stop: who asks gets an answer through a long start and a long drain.
  lifecycle.add('ops', {
    start: async () => {
      await ops.start();
      log.info({ host: opsHost, port: ops.port }, 'ops listening');
      if (!ops.isReadable) log.warn({}, 'metrics and status are refused: set EVENKEEL_OPS_TOKEN');
    },
    stop: () => ops.stop(),
  });
  try {
    const giveUp = (error: Error): void => {
      if (signal.aborted) return;
      log.fatal({ reason: error.message }, 'gives up');
      fail();
      stop('gives up');
    };
    options.build(config, { lifecycle, log, signal, ops, giveUp, onReload: reloading(log) });
    if (!signal.aborted) await lifecycle.start();
  } catch (error) {
    if (signal.aborted) return;
    log.fatal({ err: error }, 'start failed');
    fail();
    stop('start failed');
  }
}

/** Has SIGHUP call what is given to it. */
function reloading(log: Log): ServiceContext['onReload'] {
  return (fn) => {
    process.on('SIGHUP', () => {
      log.info({}, 'reloading');
      try {
        fn();
      } catch (error) {
        log.error({ err: error }, 'reload failed');
      }
    });
  };
}

/** The settings, or the end of the process: a stack would bury what the operator has to read. */
function settingsOf<C extends CommonConfig>({ config }: ServiceOptions<C>): C {
  try {
    return loadConfig(config);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(exitCodes.failed);
  }
}

/** Stops the lifecycle and ends the process on a signal, an uncaught error, a parent that goes, or when asked. */
function untilStopped(lifecycle: Lifecycle, log: Log) {
  const aborting = new AbortController();
  let exitCode: number = exitCodes.clean;

  const stop = (reason: string) => {
    if (aborting.signal.aborted) return;
    aborting.abort(new Error(reason));
    setTimeout(() => {
      log.fatal({ reason }, 'stop timed out');
      process.exit(exitCodes.stopTimedOut);
    }, lifecycle.longestStopMs + stopAllowanceMs).unref();
    void lifecycle.stop(reason).then((isClean) => {
      process.exit(exitCode === exitCodes.clean && !isClean ? exitCodes.stopTimedOut : exitCode);
    });
  };
  const fail = () => {
    exitCode = exitCodes.failed;
  };
  const onSignal = (signal: NodeJS.Signals) => {
    if (aborting.signal.aborted) {
      log.warn({ signal }, 'second signal, exiting at once');
      process.exit(exitCode === exitCodes.clean ? exitCodes.stopTimedOut : exitCode);
    }
    stop(signal);
  };
  const onUncaught = (event: 'uncaught exception' | 'unhandled rejection') => (error: unknown) => {
    log.fatal({ err: error }, event);
    fail();
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
  return { stop, fail, signal: aborting.signal };
}
