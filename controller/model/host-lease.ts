// One TaskRun's claim on one slot: the facts stored on Kubernetes objects, and the phases derived from them.
import type { Instant } from './instant.ts';

/** Where a build runs. Everything is released from these, never from the current host-config. */
export interface HostFacts {
  readonly provider: 'static' | 'local';
  readonly host: string;
  readonly address: string;
  readonly user: string;
  /** Name of the ssh Secret in the operator namespace. */
  readonly sshSecret: string;
}

/** Stored, signed, in annotation `…/host-lease` of the user TaskRun. */
export interface LeaseFacts {
  /** 1, 2, …: grows by one with every claim of this TaskRun. 0: never claimed by us; with a claim: by an older controller. */
  readonly attempt: number;
  readonly platform: string;
  /** Absent: this TaskRun holds no slot now. */
  readonly claim?: HostFacts & { readonly since: Instant };
  /** The Secret is there: the build can run. */
  readonly ready?: true;
  /** The build was refused for this RejectReason; the error Secret holds the sentence. */
  readonly rejected?: string;
  /** Its key lies with the one-time password server. */
  readonly oneTimeKey?: true;
  /** Retries of the build for which its one-time token was armed. */
  readonly retries?: number;
}

/**
 * Derived, never stored; the order of life is in lease/transitions.ts.
 * `waiting` no slot yet · `claimed` slot taken, no provision TaskRun yet · `provisioning` it runs ·
 * `provisioned` it succeeded · `failed` it failed · `ready` the Secret is there ·
 * `stopping` the build ended while its host is still being prepared · `releasing` the build ended, its slot is to be given back ·
 * `rejected` never gets a host · `over` nothing is held · `unsigned` its facts are missing, or behind what happened: they
 * are found again, or it holds nothing
 */
export type LeasePhase =
  | 'unsigned'
  | 'waiting'
  | 'claimed'
  | 'provisioning'
  | 'provisioned'
  | 'failed'
  | 'ready'
  | 'stopping'
  | 'releasing'
  | 'rejected'
  | 'over';
