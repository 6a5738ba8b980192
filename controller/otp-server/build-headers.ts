// For which build a key is stored, as tasks/provision-shared-host says it in headers. Scripts of others say nothing.
import type { IncomingHttpHeaders } from 'node:http';
import type { BuildIdentity } from './stored-key.ts';

/** All four or none. Each becomes part of a name or a label. */
export const buildHeaders = {
  uid: 'x-taskrun-uid',
  namespace: 'x-taskrun-namespace',
  name: 'x-taskrun-name',
  attempt: 'x-taskrun-attempt',
} as const;

const dnsName = /^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/;
const uidForm = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const count = /^[1-9][0-9]{0,8}$/;

export function readBuildIdentity(headers: IncomingHttpHeaders): BuildIdentity | 'malformed' | undefined {
  const given = (name: keyof typeof buildHeaders): string => String(headers[buildHeaders[name]] ?? '');
  const [uid, namespace, name, attempt] = [given('uid'), given('namespace'), given('name'), given('attempt')];
  if (uid === '') return undefined;
  const sound = uidForm.test(uid) && dnsName.test(namespace) && dnsName.test(name) && count.test(attempt);
  return sound ? { uid, namespace, name, attempt: Number(attempt) } : 'malformed';
}
