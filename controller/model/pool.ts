// A pool: the hosts and limits behind one platform, as configured.
import type { Host } from './host.ts';
import type { Duration } from './instant.ts';
import type { Platform } from './platform.ts';

/** A pattern of allowed-namespaces. */
export interface NamespacePattern {
  test(namespace: string): boolean;
}

/** Limits and rules that hold for a platform whatever kind its pool is. */
export interface PoolLimits {
  /** Lists of patterns; a namespace must match one of each list. No list: every namespace. */
  readonly allowedNamespaces: readonly (readonly NamespacePattern[])[];
  /** A build that waited longer is rejected. Undefined: waits without end. */
  readonly maxWait: Duration | undefined;
  /** The priority a build gives itself counts. */
  readonly priority: boolean;
  /** Namespaces take turns, those that hold fewest slots first. */
  readonly fairShare: boolean;
  /** Slots of the platform that one namespace may hold at once. */
  readonly maxPerNamespace: number | undefined;
  /** What gives a slot back: the end of the build, or the end of its first cleanup. */
  readonly releaseSlotAfter: 'build' | 'cleanup';
}

export const noLimits: PoolLimits = {
  allowedNamespaces: [],
  maxWait: undefined,
  priority: false,
  fairShare: false,
  maxPerNamespace: undefined,
  releaseSlotAfter: 'build',
};

export function allowsNamespace({ allowedNamespaces }: PoolLimits, namespace: string): boolean {
  return allowedNamespaces.every((patterns) => patterns.some((pattern) => pattern.test(namespace)));
}

/** The build runs in its own pod, in the cluster. */
export interface LocalPool {
  readonly kind: 'local';
  readonly platform: Platform;
  readonly limits: PoolLimits;
}

/** Long-lived hosts named in host-config. */
export interface StaticPool {
  readonly kind: 'static';
  readonly platform: Platform;
  readonly hosts: readonly Host[];
  /** Names of hosts that take no new builds. */
  readonly cordoned: ReadonlySet<string>;
  readonly limits: PoolLimits;
}

export type Pool = LocalPool | StaticPool;
