// A build's private key while it waits, encrypted, for its one-time token: what the key server and the controller both
// know about the Secret it lies in. One such Secret per build, in the operator namespace.

const prefix = 'build.appstudio.redhat.com';

export const storedKeyNamePrefix = 'multi-platform-one-time-key-';
/** On every Secret that keeps such a key; its value is 'true'. */
export const storedKeyLabel = `${prefix}/one-time-key`;
/**
 * Runs of the build, its retries included, for which the token is good: '1' when stored, and set to retries + 1 by the
 * controller with every retry. The server gives the key out when this is more than `spent`, which it then sets to it.
 */
export const armedAnnotation = `${prefix}/one-time-key-armed`;
export const spentAnnotation = `${prefix}/one-time-key-spent`;

/** Of the Secret that keeps the key of a build. A later claim of the build replaces it. */
export function storedKeyName(taskRunUid: string): string {
  return storedKeyNamePrefix + taskRunUid;
}

/** Merge patch that makes the token good again after `retries` retries. Writing it twice changes nothing. */
export function rearmPatch(retries: number): {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
} {
  return { metadata: { annotations: { [armedAnnotation]: String(retries + 1) } } };
}
