import type { AskHandler } from '@evenkeel/client';
import { useEffect } from 'react';
import { type AnyClient, useNewest, useProvided } from './provider.js';

type AnyHandler = AskHandler<never, unknown>;
/** The components that serve one method, in the order in which they were mounted. */
interface Served {
  readonly mounted: { readonly current: AnyHandler }[];
  readonly stop: () => void;
}

const ofClients = new WeakMap<AnyClient, Map<string, Served>>();

/** Answers what services ask as long as the component is mounted. Where several do, the one that was mounted last answers. */
export function useAnyServe(method: string, handler: AnyHandler): void {
  const client = useProvided();
  const newest = useNewest(handler);
  useEffect(() => {
    const methods = ofClients.get(client) ?? new Map<string, Served>();
    ofClients.set(client, methods);
    const served = methods.get(method) ?? begin(client, method);
    methods.set(method, served);
    const { mounted, stop } = served;
    mounted.push(newest);
    // A component in the place of another, and StrictMode, come in the same go: no question finds nobody.
    return () => {
      mounted.splice(mounted.lastIndexOf(newest), 1);
      if (mounted.length > 0) return;
      methods.delete(method);
      stop();
    };
  }, [client, method, newest]);
}

/** The client knows one handler of a method. @throws ClientError `bad-name`, `already-served` (by something that is no component) */
function begin(client: AnyClient, method: string): Served {
  const mounted: { readonly current: AnyHandler }[] = [];
  const stop = client.serve(method, (data: never, asked) => mounted.at(-1)?.current(data, asked));
  return { mounted, stop };
}
