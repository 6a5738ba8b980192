// What provision TaskRuns, and launches that prepare their host, report before they end: the Secret is there. A hint that
// saves a second; it is checked, never believed.
import { Cache } from '../kubernetes/cache.ts';
import type { KubeObject } from '../kubernetes/cluster.ts';
import { asObject, asText } from '../model/json.ts';

/** `reason` of the Event; tasks/runner/build-secret.sh sends it. */
export const secretCreatedReason = 'SecretCreated';

export interface SecretReport {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
  /** uid of the TaskRun that reports. */
  readonly taskRunUid: string;
}

export type SecretReports = Cache<SecretReport, 'taskRun'>;

export function newSecretReports(onListenerError: (error: unknown) => void): SecretReports {
  return new Cache({ index: { taskRun: (report: SecretReport) => report.taskRunUid }, onListenerError });
}

export function readSecretReport({ metadata, ...rest }: KubeObject): SecretReport {
  const { uid, name, namespace = '', resourceVersion } = metadata;
  return { uid, name, namespace, resourceVersion, taskRunUid: asText(asObject(rest['involvedObject'])['uid']) ?? '' };
}
