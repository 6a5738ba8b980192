// A host: something reachable by SSH with a number of slots.
import type { Platform } from './platform.ts';

export interface Host {
  /** Name in host-config (`host.<name>.…`); of a host of a dynamic-pool, its launch token. */
  readonly name: string;
  /** IP address or DNS name. */
  readonly address: string;
  /** Remote account that may create and remove build users. */
  readonly user: string;
  readonly platform: Platform;
  /** Secret in the operator namespace with the ssh key of that account (`id_rsa`, optional `known_hosts`). */
  readonly secret: string;
  /** Slots: builds at once. At least 1. */
  readonly concurrency: number;
}
