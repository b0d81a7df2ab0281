import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { watchOver } from '@evenkeel/local';
import { addOne } from '../../fleet/counts.js';
import type { NumberedEvent } from '../../fleet/messages.js';
import { topicName } from '../../fleet/topic-load.js';
import { RecordingClient } from './recording-client.js';

/** The distribution's own, which has the package `websockets` where it is installed. */
const python = '/usr/bin/python3';
const program = join('examples', 'python-client', 'evenkeel_client.py');

interface Line {
  readonly kind: string;
  readonly status?: string;
  readonly node?: string;
  readonly reason?: string;
  readonly topic?: string;
  readonly data?: NumberedEvent;
}

/** The client in Python of a checkout, one process, with one topic. */
export class PythonClient extends RecordingClient {
  readonly #child: ChildProcess;
  readonly #release: () => void;
  #isStopping = false;

  constructor(checkout: string, gatewayUrl: string, user: string, n: number, topic: number) {
    super(`python ${n}`, n, topic);
    const flags = ['--gateway', gatewayUrl, '--user', user, '--topic', topicName(topic)];
    this.#child = spawn(python, [join(checkout, program), ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#release = watchOver({ kind: 'group', pid: this.#child.pid ?? -1 });
    const { stdout, stderr } = this.#child;
    if (stdout) createInterface({ input: stdout }).on('line', (line) => this.#line(JSON.parse(line) as Line));
    if (stderr) createInterface({ input: stderr }).on('line', (line) => this.onIncident(line));
    this.#child.on('error', (error) => this.#ended(error.message));
    this.#child.on('exit', (code, signal) => this.#ended(`ended with ${signal ?? code}`));
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#child.exitCode === null && this.#child.signalCode === null && this.#child.kill('SIGKILL'))
      await once(this.#child, 'exit');
    this.#release();
  }

  #line({ kind, status, node = this.node, reason = '', topic, data }: Line): void {
    if (kind === 'event' && data !== undefined) {
      this.onEvent(data);
    } else if (kind === 'message' && data !== undefined) {
      if (data.n === this.topic?.number) this.topic.record.note(data.k);
      else this.misrouted++;
    } else if (kind === 'gap') {
      addOne(topic === undefined ? this.gaps : this.topicGaps, reason);
      (topic === undefined ? this.record : this.topic?.record)?.gap();
    } else if (kind === 'status' && (status === 'connected' || status === 'moved')) {
      this.onNode(node);
    } else if (kind === 'status' && status === 'disconnected') {
      this.isConnected = false;
      this.disconnects++;
    } else if (status === 'move-failed' || kind === 'error')
      this.onIncident(JSON.stringify({ kind, status, reason }));
  }

  #ended(how: string): void {
    this.isConnected = false;
    if (!this.#isStopping) this.onIncident(how);
  }
}
