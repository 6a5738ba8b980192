// What label `…/assigned-host` says, which other programs read: a host is called there as its provider calls it.
import type { HostFacts } from './host-lease.ts';

const labelValue = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/** The instance's id once that is known, if a label can say it; until then the token it is launched under. */
export function hostLabel({ host, launch }: HostFacts): string {
  const id = launch?.instanceId;
  return id !== undefined && labelValue.test(id) ? id : host;
}
