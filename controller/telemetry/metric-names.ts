// Names, help and buckets of what is exported per platform, and the prefix of all. Other people's dashboards and alerts
// read these strings: never change one.

export const metricPrefix = 'multi_platform_controller_';
/** Label value that all platforms nobody configured share: builds choose the name, so it must not become a series. */
export const unknownPlatform = 'unknown';

const waitBuckets = [1, 2, 3, 4, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1200];
const runBuckets = [20, 40, 60, 90, 120, 300, 600, 1200, 2400, 4800, 6000, 7200, 8400, 9600];

export const platformCounters = {
  provisioning_failures: 'Provision TaskRuns that failed',
  provisioning_successes: 'Provision TaskRuns that succeeded',
  cleanup_failures: 'Cleanup TaskRuns that failed',
  host_allocation_failures: 'Builds ended by an error while they were to get a host',
} as const;
export type PlatformCounter = keyof typeof platformCounters;

export const platformTimes = {
  host_allocation_time: { help: 'Seconds it took to get a host once one was to be had', buckets: waitBuckets },
  wait_time: {
    help: 'Seconds from the creation of a build that had to wait until a host was there for it',
    buckets: waitBuckets,
  },
  task_run_time: { help: 'Seconds from the creation of a build that had a host to its end', buckets: runBuckets },
} as const;
export type PlatformTime = keyof typeof platformTimes;
