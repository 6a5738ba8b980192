// A reflector over ConfigMaps of a test, with everything about it recorded and its waiting times cut short.
import { Cache } from '../../../controller/kubernetes/cache.ts';
import type { CachedObject } from '../../../controller/kubernetes/cache.ts';
import type { Clock } from '../../../controller/model/clock.ts';
import type { KubeObject } from '../../../controller/kubernetes/cluster.ts';
import { Reflector } from '../../../controller/kubernetes/reflector.ts';
import type { WatchSender } from '../../../controller/kubernetes/reflector.ts';
import type { ReflectorTuning } from '../../../controller/kubernetes/reflector-tuning.ts';
import type { WatchScope } from '../../../controller/kubernetes/watch-query.ts';
import { systemClock } from '../../../controller/telemetry/clock.ts';

export interface Seen extends CachedObject {
  readonly value: string;
}

export interface Reflected {
  readonly cache: Cache<Seen, 'value'>;
  readonly reflector: Reflector<Seen, 'value'>;
  readonly troubles: string[];
  readonly listenerErrors: unknown[];
  /** What the reflector asked to sleep; the sleeps themselves are short. */
  readonly sleeps: number[];
  /** Values by name, as readers see them. */
  values(): Record<string, string>;
  stop(): Promise<void>;
}

export interface ReflectedOptions {
  /** namespace undefined: every namespace. */
  readonly scope?: Omit<Partial<WatchScope>, 'namespace'> & { readonly namespace?: string | undefined };
  readonly tuning?: Partial<ReflectorTuning>;
  readonly project?: (raw: KubeObject) => Seen | undefined;
  readonly marks?: readonly string[];
  readonly longestSleep?: number;
}

/** Kept: what carries a label `value`. */
export function projectByLabel(raw: KubeObject): Seen | undefined {
  const { uid, namespace = '', name, resourceVersion, labels } = raw.metadata;
  const value = labels?.['value'];
  return value === undefined ? undefined : { uid, namespace, name, resourceVersion, value };
}

export function reflect(sender: WatchSender, options: ReflectedOptions = {}): Reflected {
  const { namespace, ...scope } = { namespace: 'x', ...options.scope };
  const troubles: string[] = [];
  const listenerErrors: unknown[] = [];
  const sleeps: number[] = [];
  const cache = new Cache<Seen, 'value'>({
    index: { value: (it) => it.value },
    onListenerError: (error) => listenerErrors.push(error),
  });
  const settleAfter = options.tuning?.settleAfter ?? 3_600_000;
  const clock: Clock = {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic(),
    sleep: async (duration, signal) => {
      if (duration === settleAfter) return systemClock.sleep(duration, signal);
      sleeps.push(duration);
      return systemClock.sleep(Math.min(duration, options.longestSleep ?? 5), signal);
    },
  };
  const reflector = new Reflector<Seen, 'value'>({
    scope: { resource: 'configmaps', ...scope, ...(namespace === undefined ? {} : { namespace }) },
    cache,
    project: options.project ?? projectByLabel,
    ...(options.marks === undefined ? {} : { marks: options.marks }),
    sender,
    clock,
    random: () => 0.5,
    onTrouble: (trouble, error) =>
      troubles.push(`${trouble}: ${error instanceof Error ? error.message : String(error)}`),
    tuning: { ...options.tuning, settleAfter },
  });
  const stopping = new AbortController();
  const running = reflector.run(stopping.signal);
  return {
    cache,
    reflector,
    troubles,
    listenerErrors,
    sleeps,
    values: () => Object.fromEntries([...cache.values()].map((it) => [it.name, it.value])),
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
