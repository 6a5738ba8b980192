// A pool: the hosts and limits behind one platform, as configured.
import type { Host } from './host.ts';
import type { Duration } from './instant.ts';
import type { Platform } from './platform.ts';
import type { Provider } from './provider.ts';

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

/** Hosts that the Tasks of a provider launch: one for each build, or (dynamic-pool) one for several. */
export interface LaunchedPool {
  readonly kind: 'dynamic' | 'dynamic-pool';
  readonly platform: Platform;
  readonly limits: PoolLimits;
  readonly provider: Provider;
  /** Hosts at once, those included that are still going. At least 1. */
  readonly maxInstances: number;
  /** Builds at once on one host; 1 where each build has its own. */
  readonly concurrency: number;
  /** A host older than this takes no new builds. Of a dynamic-pool only. */
  readonly maxAge: Duration | undefined;
  /** A launch that takes longer has failed. */
  readonly allocationTimeout: Duration;
  /** Secret in the operator namespace with the ssh key of the hosts; '' where launch prepares its host itself. */
  readonly sshSecret: string;
  /** Secret in the operator namespace bound to workspace `credentials`; '' for none. */
  readonly credentials: string;
  /** Param SUDO_COMMANDS of provision TaskRuns. */
  readonly sudoCommands: string;
  readonly instanceTag: string;
  /** On every instance, beside the instance tag: `k=v,k=v`. */
  readonly additionalTags: string;
  /** Keys that go to the provider's Tasks as params, by config key: `instance-type`. */
  readonly settings: Readonly<Record<string, string>>;
}

export type Pool = LocalPool | StaticPool | LaunchedPool;

export function isLaunched(pool: Pool): pool is LaunchedPool {
  return pool.kind === 'dynamic' || pool.kind === 'dynamic-pool';
}
