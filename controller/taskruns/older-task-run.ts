// TaskRuns a Go controller left in the operator namespace: they name their build by name only and carry no facts, but they
// were given everything. Tells them apart and reads the facts; what becomes of them is decided as for our own.
import type { HostFacts, LeaseFacts } from '../model/host-lease.ts';
import { asArray, asObject, asText, asTextMap, type Json } from '../model/json.ts';
import { labels } from '../model/labels.ts';
import { readState } from './task-run-state.ts';

const prefix = 'older:';

/** Works for a build, and does not know its uid. */
export function isFromOlderController(labelValues: Readonly<Record<string, string>>): boolean {
  return labelValues[labels.userTaskUid] === undefined && (labelValues[labels.userTaskName] ?? '') !== '';
}

/** Stands for the uid of the build an older controller's TaskRun works for. No uid of Kubernetes looks like it. */
export function olderBuildUid(namespace: string, name: string): string {
  return `${prefix}${namespace}/${name}`;
}

/** Namespace and name of that build; undefined: a real uid. */
export function readOlderBuildUid(uid: string): { readonly namespace: string; readonly name: string } | undefined {
  if (!uid.startsWith(prefix)) return undefined;
  const [namespace = '', name = ''] = uid.slice(prefix.length).split('/');
  return { namespace, name };
}

/** Attempt 0: its user on the host is named without a uid. Undefined: it does not say on which host. */
export function readOlderFacts(raw: Json): LeaseFacts | undefined {
  const claim = readClaim(raw);
  const values = asTextMap(asObject(raw['metadata'])['labels']);
  if (claim === undefined) return undefined;
  return {
    attempt: 0,
    platform: values[labels.targetPlatform] ?? '',
    claim: { ...claim, since: readState(raw).created },
  };
}

function readClaim(raw: Json): HostFacts | undefined {
  const spec = asObject(raw['spec']);
  const params = asArray(spec['params']).map(asObject);
  const param = (name: string): string | undefined => asText(params.find((it) => it['name'] === name)?.['value']);
  const [workspace] = asArray(spec['workspaces']).map(asObject);
  const sshSecret = asText(asObject(workspace?.['secret'])['secretName']);
  const [address, user] = [param('HOST'), param('USER')];
  if (address === undefined || user === undefined || sshSecret === undefined) return undefined;
  // Cleanups of that controller have no label with the name of the host.
  const host = asTextMap(asObject(raw['metadata'])['labels'])[labels.assignedHost] ?? address;
  return { provider: 'static', host, address, user, sshSecret };
}
