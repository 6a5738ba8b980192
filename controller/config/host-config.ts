// The ConfigMap host-config as the rest of the controller sees it: pools that work, and every problem with its key.
import type { CareSettings } from '../model/care.ts';
import type { Platform } from '../model/platform.ts';
import type { Pool } from '../model/pool.ts';

/** One thing wrong in host-config. `message` names the value and the remedy. */
export interface ConfigProblem {
  readonly key: string;
  readonly message: string;
  /** A warning changes nothing; an error takes what the entry describes out of use. */
  readonly severity: 'error' | 'warning';
  /** The platform that suffers from it, where it is known. */
  readonly platform?: string;
}

export interface HostConfig {
  readonly pools: ReadonlyMap<Platform, Pool>;
  /** Platforms that are named in the config and have no working pool: why. */
  readonly broken: ReadonlyMap<string, readonly ConfigProblem[]>;
  readonly problems: readonly ConfigProblem[];
  /** Key `instance-tag`: goes to provision TaskRuns, and to the Tasks of providers, as INSTANCE_TAG. */
  readonly instanceTag: string;
  readonly care: CareSettings;
  readonly known: KnownGood;
}

/** What the next host-config is read against, in case a mistake in it hides what was meant. */
export interface KnownGood {
  readonly local: readonly Platform[];
  readonly dynamic: readonly Platform[];
  readonly dynamicPool: readonly Platform[];
  readonly cordoned: readonly string[];
  /** Platforms of hosts, by host name. */
  readonly platforms: ReadonlyMap<string, string>;
}

export const nothingKnown: KnownGood = {
  local: [],
  dynamic: [],
  dynamicPool: [],
  cordoned: [],
  platforms: new Map(),
};
