// Who comes first among waiting requests.
import type { HostRequest } from '../model/host-request.ts';

export type RequestOrder = (a: HostRequest, b: HostRequest) => number;

/** 1. The older TaskRun. 2. Namespace, then name: an arbitrary but fixed order among equals. */
export function compareRequests(a: HostRequest, b: HostRequest): number {
  return a.since - b.since || compareText(a.namespace, b.namespace) || compareText(a.name, b.name);
}

/** The higher priority; among equals as above. */
export function comparePriorities(a: HostRequest, b: HostRequest): number {
  return b.priority - a.priority || compareRequests(a, b);
}

/** By code unit: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
