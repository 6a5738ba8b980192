// Names of TaskRuns we create: the same lease always gives the same name, so "already exists" means "done".
import { createHash } from 'node:crypto';

const maxLength = 63;

/** What a name stands for; all of it goes into its hash. */
export interface NamedFor {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly host: string;
  readonly attempt: number;
}

/** `<name>-prov-<10 hex>`, at most 63 characters. */
export function provisionName(lease: NamedFor): string {
  return childName(lease.name, `-prov-${hashOf(lease, 1)}`);
}

/** `<name>-cleanup-<10 hex>`; each further try of the same cleanup has a name of its own. */
export function cleanupName(lease: NamedFor, cleanupTry: number): string {
  return childName(lease.name, `-cleanup-${hashOf(lease, cleanupTry)}`);
}

/** `<name>-launch-<10 hex>`. */
export function launchName(lease: NamedFor): string {
  return childName(lease.name, `-launch-${hashOf(lease, 1)}`);
}

/** `<name>-terminate-<10 hex>`; each further try has a name of its own. */
export function terminateName(lease: NamedFor, nth: number): string {
  return childName(lease.name, `-terminate-${hashOf(lease, nth)}`);
}

function hashOf({ uid, namespace, name, host, attempt }: NamedFor, cleanupTry: number): string {
  // JSON separates the parts, so no two different lists of parts give the same text.
  const parts = JSON.stringify([namespace, name, uid, host, attempt, cleanupTry]);
  return createHash('sha256').update(parts).digest('hex').slice(0, 10);
}

/** Cuts the parent, never the suffix, and leaves no `-` or `.` before it. */
function childName(parent: string, suffix: string): string {
  return parent.slice(0, maxLength - suffix.length).replace(/[-.]+$/, '') + suffix;
}
