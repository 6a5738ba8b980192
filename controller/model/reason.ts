// Why something is as it is, as a code: goes into Events, logs and metrics. The sentence for people travels beside it.

/** Reasons for which a build can never get a host. It is told through the error Secret. */
export type RejectReason =
  | 'PlatformMalformed'
  | 'PlatformUnknown'
  | 'NamespaceNotAllowed'
  | 'AllHostsFailed'
  | 'HostConfigUnreadable'
  | 'HostConfigInvalid'
  | 'SshSecretMissing'
  | 'CredentialsMissing'
  | 'SecretExists'
  | 'SecretNotCreated'
  | 'ProvisionImpossible'
  | 'WaitedTooLong'
  | 'LaunchRefused'
  | 'LaunchFailed';

/** Reasons for which a build waits. */
export type WaitReason =
  | 'NoFreeSlot'
  | 'NamespaceLimit'
  | 'HostsQuarantined'
  | 'OutOfCapacity'
  | 'HostConfigUnreadable'
  | 'HostConfigInvalid'
  | 'SshSecretMissing'
  | 'CredentialsMissing';

/** Events on user TaskRuns, and on the ConfigMap host-config. */
export type EventReason =
  | 'WaitingForHost'
  | 'HostAssigned'
  | 'Launching'
  | 'Launched'
  | 'LaunchFailed'
  | 'Provisioning'
  | 'HostReady'
  | 'ProvisionFailed'
  | 'Released'
  | 'HostLost'
  | 'CleanupFailed'
  | 'TerminateFailed'
  | 'PlatformMissing'
  | 'PriorityInvalid'
  | 'HostConfigInvalid'
  | 'HostConfigValid'
  | 'HostUpdated'
  | 'HostUpdateFailed'
  | 'HostUpdateSkipped'
  | 'Rejected';

/** A reason with its sentence for people. */
export interface Told<Reason extends string = string> {
  readonly reason: Reason;
  readonly message: string;
}
