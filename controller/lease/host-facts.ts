// A host of host-config as the facts of a lease keep it: all that is needed to release it when the config has changed.
import type { Host } from '../model/host.ts';
import type { HostFacts } from '../model/host-lease.ts';

export function staticHost({ name, address, user, secret }: Host): HostFacts {
  return { provider: 'static', host: name, address, user, sshSecret: secret };
}

/** The build's own pod. */
export const localHost: HostFacts = { provider: 'local', host: 'localhost', address: '', user: '', sshSecret: '' };
