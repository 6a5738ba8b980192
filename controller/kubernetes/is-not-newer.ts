// The order of resource versions of one resource, as far as it is known: they are decimal numbers that grow (etcd's
// revisions; the API promises it since Kubernetes 1.35). Anything else has no order.

/** True when `version` is known to be no newer than `seen`: told before. */
export function isNotNewer(version: string, seen: string | undefined): boolean {
  return seen !== undefined && isNumber(version) && isNumber(seen) && BigInt(version) <= BigInt(seen);
}

function isNumber(version: string): boolean {
  return /^[0-9]{1,30}$/.test(version);
}
