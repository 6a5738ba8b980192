// What becomes of a build while a Secret is missing that launched hosts need: it waits for a grace, then it is refused.
import { configGrace } from '../model/config-grace.ts';
import type { HostRequest } from '../model/host-request.ts';
import type { Instant } from '../model/instant.ts';
import type { Decision } from './allocate.ts';
import type { MissingSecret } from './pool-snapshot.ts';

/** It may come yet, as a late part of a change. */
export function secretMissing(
  missing: MissingSecret | undefined,
  request: HostRequest,
  now: Instant,
): Decision | undefined {
  if (missing === undefined) return undefined;
  const { told } = missing;
  const until = Math.max(request.since, missing.since) + configGrace;
  return now >= until ? { outcome: 'reject', request, told } : { outcome: 'wait', request, told, until };
}
