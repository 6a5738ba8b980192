// The second look at own writes that the watch has not shown for a while: each is read once from the API server and the
// cache told. In normal times there are none. See Cache.confirmed().
import type { Clock } from '../model/clock.ts';
import type { Duration } from '../model/instant.ts';
import { ApiError } from './api-errors.ts';
import type { Cache, CachedObject, Unsettled } from './cache.ts';
import type { KubeObject } from './cluster.ts';
import type { ApiRequest } from './http-transport.ts';
import { resourcePath } from './resource.ts';
import { acceptOf, type WatchScope } from './watch-query.ts';

export interface SettleOptions<T extends CachedObject, IndexName extends string> {
  readonly cache: Cache<T, IndexName>;
  readonly clock: Clock;
  readonly every: Duration;
  readonly read: (namespace: string, name: string) => Promise<KubeObject>;
  readonly project: (raw: KubeObject) => T | undefined;
  readonly onError: (error: unknown) => void;
}

interface ReadSender {
  request(request: ApiRequest): Promise<string>;
}

/** Reads one object as the watch of that scope would show it. */
export function rereadWith(sender: ReadSender, scope: WatchScope): SettleOptions<CachedObject, never>['read'] {
  const { resource } = scope;
  return async (namespace, name) => {
    const path = resourcePath(resource, namespace, name);
    const accept = acceptOf(scope, false);
    const object: KubeObject = JSON.parse(
      await sender.request({ verb: 'get', resource, path, accept, repeatable: true, fenced: false }),
    );
    return object;
  };
}

export async function settleWrites<T extends CachedObject, IndexName extends string>(
  options: SettleOptions<T, IndexName>,
  signal: AbortSignal,
): Promise<void> {
  let before: ReadonlySet<Unsettled> = new Set();
  while (!signal.aborted) {
    await options.clock.sleep(options.every, signal);
    const now = options.cache.unsettled();
    for (const write of now) {
      if (!before.has(write) || signal.aborted) continue;
      await lookAgain(options, write).catch(options.onError);
    }
    before = new Set(now);
  }
}

async function lookAgain<T extends CachedObject, IndexName extends string>(
  { cache, read, project }: SettleOptions<T, IndexName>,
  write: Unsettled,
): Promise<void> {
  try {
    const raw = await read(write.namespace, write.name);
    cache.confirmed(write, raw.metadata.uid === write.uid ? project(raw) : undefined);
  } catch (error) {
    if (!(error instanceof ApiError) || error.kind !== 'gone') throw error;
    cache.confirmed(write, undefined);
  }
}
