import { type Mesh, type MeshOptions, startMesh } from '../mesh.js';
import type { LocalEdgesEvents } from './edges.js';
import { LocalControl } from './local-control.js';

/** A mesh that adds, stops and kills edges on request. Stops as any other; no request is taken from then on. */
export interface ControlledMesh extends Mesh {
  readonly control: LocalControl;
}

/** As {@link startMesh}, in development mode, with what the page's buttons and `evenkeel local` ask. */
export async function startControlledMesh(
  options: MeshOptions,
  events: LocalEdgesEvents = silent,
): Promise<ControlledMesh> {
  const control = await LocalControl.listen();
  try {
    const mesh = await startMesh({ ...options, gatewayEnv: control.gatewayEnv });
    const stop = mesh.stop;
    // Not a copy: some of its properties change.
    const controlled: ControlledMesh = Object.assign(mesh, {
      control,
      stop: () => {
        control.close();
        return stop();
      },
    });
    control.attach(controlled, events);
    return controlled;
  } catch (error) {
    control.close();
    throw error;
  }
}

const silent: LocalEdgesEvents = { onChange: () => undefined, onStartFailed: () => undefined };
