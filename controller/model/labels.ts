// Every label, annotation, finalizer and fixed name other programs read. Strings here are API: never change one.

const prefix = 'build.appstudio.redhat.com';

export const labels = {
  assignedHost: `${prefix}/assigned-host`,
  targetPlatform: `${prefix}/target-platform`,
  waitingForPlatform: `${prefix}/waiting-for-platform`,
  taskType: `${prefix}/task-type`,
  userTaskName: `${prefix}/user-task-name`,
  userTaskNamespace: `${prefix}/user-task-namespace`,
  /** uid of the user TaskRun a TaskRun of ours works for; how children are found. */
  userTaskUid: `${prefix}/user-task-uid`,
  /**
   * 1, 2, …: which attempt of the user TaskRun a TaskRun of ours belongs to (model/host-lease.ts). On a user TaskRun: which it is,
   * should its facts get lost; an older controller set none.
   */
  attempt: `${prefix}/attempt`,
  /** On a user TaskRun: that labels `assigned-host` and `attempt` are of our writing. See lease/lease-mark.ts. */
  leaseMark: `${prefix}/lease-mark`,
  /** 1, 2, …: which try of the same cleanup this TaskRun is. */
  cleanupTry: `${prefix}/cleanup-try`,
  /** `true` on a TaskRun of ours that is kept for its log: what it left on its host is cleaned up. */
  cleaned: `${prefix}/cleaned`,
  /** Dashed platform, on a build that gets a host of its own. */
  cloudDynamicPlatform: `${prefix}/cloud-dynamic-platform`,
  multiPlatformSecret: `${prefix}/multi-platform-secret`,
  multiPlatformConfig: `${prefix}/multi-platform-config`,
} as const;

export const annotations = {
  failedHosts: `${prefix}/failed-hosts`,
  /** An integer a build gives itself: higher ones first, where host-config allows it. */
  priority: `${prefix}/priority`,
  /** On a build: the names of its params that are wishes about its host, as a comma list. */
  hostResources: `${prefix}/host-resources`,
  /** What is known of the host launched for a build, for people and other programs; nothing is read back from these. */
  cloudInstanceId: `${prefix}/cloud-instance-id`,
  cloudAddress: `${prefix}/cloud-address`,
  cloudFailureCount: `${prefix}/cloud-failure-count`,
  /** Unix seconds. */
  allocationStartTime: `${prefix}/allocation-start-time`,
  waitReason: `${prefix}/wait-reason`,
  queuePosition: `${prefix}/queue-position`,
  /** Signed facts of the lease on a user TaskRun; the same facts, unsigned, on TaskRuns of ours. */
  hostLease: `${prefix}/host-lease`,
  /** Set on the build's pod once its Secret exists, so that the kubelet looks again at once. */
  podAssignedHost: `${prefix}/assigned-host`,
  /** On a launch Task: a JSON Schema of the config keys of its type. */
  configSchema: `${prefix}/config-schema`,
  /** On a launch Task: the config key that names the Secret for workspace `credentials`. */
  credentialsKey: `${prefix}/credentials-key`,
  /** On a launch Task, `true`: it makes the build's Secret too. */
  preparesItself: `${prefix}/prepares-itself`,
} as const;

export const userTaskRunFinalizer = 'appstudio.io/multi-platform-finalizer';
/**
 * On cleanup and terminate TaskRuns until they succeeded; on the launch TaskRun of a dynamic-pool's host until the TaskRun
 * that terminates it exists.
 */
export const ownTaskRunFinalizer = 'appstudio.io/multi-platform-cleanup';

export const secretNamePrefix = 'multi-platform-ssh-';
export const hostConfigName = 'host-config';
/** By this Lease one of all replicas acts; also one of the older controller, where it elects. */
export const leaderLeaseName = '5483be8f.redhat.com';

export type TaskType = 'provision' | 'clean' | 'update' | 'launch' | 'terminate' | 'list';

/** The Secret a build mounts. Shape: `multi-platform-ssh-<TaskRun name>`. */
export function secretNameFor(taskRunName: string): string {
  return secretNamePrefix + taskRunName;
}
