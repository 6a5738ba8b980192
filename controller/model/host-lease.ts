// One TaskRun's claim on one slot: the facts stored on Kubernetes objects, and the phases derived from them.
import type { Instant } from './instant.ts';
import type { Platform } from './platform.ts';
import type { RejectReason, Told } from './reason.ts';

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
  /** 1, 2, …: grows by one with every claim of this TaskRun. 0: never claimed. */
  readonly attempt: number;
  readonly platform: Platform;
  /** Absent: this TaskRun holds no slot now. */
  readonly claim?: HostFacts & { readonly since: Instant };
  /** The Secret is there: the build can run. */
  readonly ready?: true;
  /** The build was refused; the error Secret says why. */
  readonly rejected?: Told<RejectReason>;
}

/** Derived, never stored. See lease/transitions.ts. */
export type LeasePhase =
  'waiting' | 'claimed' | 'provisioning' | 'ready' | 'stopping' | 'releasing' | 'rejected' | 'released';
