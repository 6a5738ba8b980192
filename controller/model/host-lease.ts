// One TaskRun's claim on one slot: the facts stored on Kubernetes objects, and the phases derived from them.
import type { Duration, Instant } from './instant.ts';

/** Where a build runs. Everything is released from these, never from the current host-config. */
export interface HostFacts {
  /** `static`: a host with slots, also one of a dynamic-pool. `dynamic`: launched for this build alone. `local`: the build's own pod. */
  readonly provider: 'static' | 'local' | 'dynamic';
  /** Name in host-config; of a launched host, its launch token. */
  readonly host: string;
  /** '' until a launched host has one. */
  readonly address: string;
  readonly user: string;
  /** Name of the ssh Secret in the operator namespace. */
  readonly sshSecret: string;
  /** Of a host launched for this build; on the TaskRun that launches a host of a dynamic-pool, of that host. */
  readonly launch?: LaunchFacts;
}

/** What a launched host is terminated from, whatever has become of host-config and of its provider's Tasks. */
export interface LaunchFacts {
  /** Names its Tasks: `launch-<type>`, `terminate-<type>`. */
  readonly type: string;
  /** A launch that takes longer has failed. */
  readonly timeout: Duration;
  /** Launch makes the build's Secret too. */
  readonly preparesItself?: true;
  /** What its launch said; undefined: not known yet, or never. */
  readonly instanceId?: string;
  readonly instanceTag: string;
  /** Of the provision TaskRun. */
  readonly sudoCommands: string;
  /** Params of the terminate Task that come from host-config. */
  readonly params: Readonly<Record<string, string>>;
  /** Workspaces of the terminate Task, each with its Secret. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** Stored, signed, in annotation `…/host-lease` of the user TaskRun. */
export interface LeaseFacts {
  /** 1, 2, …: grows by one with every claim of this TaskRun, and with every TaskRun of ours for it that is lost. 0: never claimed by us; with a claim: by an older controller. */
  readonly attempt: number;
  readonly platform: string;
  /** Absent: this TaskRun holds no slot now. */
  readonly claim?: HostFacts & { readonly since: Instant };
  /** The Secret is there: the build can run. */
  readonly ready?: true;
  /** The build was refused for this RejectReason; the error Secret holds the sentence. */
  readonly rejected?: string;
  /** That sentence, as long as the error Secret is not made. */
  readonly untold?: string;
  /** Its key lies with the key server. */
  readonly oneTimeKey?: true;
  /** Retries of the build for which its one-time token was armed. */
  readonly retries?: number;
  /** Hosts launched for this build that came to nothing, through no shortage. */
  readonly failedLaunches?: number;
  /** A TaskRun that was to make the Secret was deleted: its pod may have made one late, and that is ours. */
  readonly lost?: true;
}

/** Derived, never stored; the order of life is in lease/transitions.ts. */
export type LeasePhase =
  /** Its facts are missing, or behind what happened: they are found again, or it holds nothing. */
  | 'unsigned'
  /** No slot yet. */
  | 'waiting'
  /** A slot is taken, nothing is done for it yet. */
  | 'claimed'
  /** Its own host is being launched. */
  | 'launching'
  /** Its own host is there. */
  | 'launched'
  /** Its own host could not be launched. */
  | 'unlaunched'
  /** The provision TaskRun runs. */
  | 'provisioning'
  /** The provision TaskRun succeeded. */
  | 'provisioned'
  /** The provision TaskRun failed. */
  | 'failed'
  /** The Secret is there. */
  | 'ready'
  /** The build ended while its host is still being prepared. */
  | 'stopping'
  /** The build ended; its slot is to be given back. */
  | 'releasing'
  /** Never gets a host. */
  | 'rejected'
  /** Nothing is held. */
  | 'over';
