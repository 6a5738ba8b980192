// What becomes of one request after the other where each build gets a host of its own: a launch, a wait with its reason, or a
// refusal. Never more hosts than the platform may have, those included that are still going.
import type { HostRequest } from '../model/host-request.ts';
import type { Instant } from '../model/instant.ts';
import type { Told, WaitReason } from '../model/reason.ts';
import type { Decision } from './allocate.ts';
import { launchPause } from './launch-pause.ts';
import type { LaunchedSnapshot } from './pool-snapshot.ts';
import { secretMissing } from './secret-missing.ts';
import { allInstancesTaken, namespaceLimit, outOfCapacity, waitedTooLong } from './told-reasons.ts';

/** `held` is kept up to date: hosts by namespace, those launched here included. */
export function allocateLaunched(
  snapshot: LaunchedSnapshot,
  held: Map<string, number>,
  now: Instant,
): (request: HostRequest) => Decision {
  const { pool } = snapshot;
  const { limits } = pool;
  const shortage = shortageOf(snapshot);
  let free = freeToLaunch(snapshot, shortage, now);
  const busy = shortage?.told ?? allInstancesTaken(pool.maxInstances);
  return (request) => {
    const missing = secretMissing(snapshot.missingSecret, request, now);
    if (missing !== undefined) return missing;
    const { namespace, since } = request;
    const holds = held.get(namespace) ?? 0;
    const capped = limits.maxPerNamespace !== undefined && holds >= limits.maxPerNamespace;
    if (free > 0 && !capped) {
      free -= 1;
      held.set(namespace, holds + 1);
      return { outcome: 'launch', request, pool };
    }
    const deadline = limits.maxWait === undefined ? Infinity : since + limits.maxWait;
    if (now >= deadline) return { outcome: 'reject', request, told: waitedTooLong(request, now) };
    const told = capped ? namespaceLimit(namespace, limits.maxPerNamespace) : busy;
    const until = Math.min(deadline, shortage !== undefined && shortage.until > now ? shortage.until : Infinity);
    return { outcome: 'wait', request, told, until: until === Infinity ? undefined : until };
  };
}

/** After a shortage one build at a time finds out whether it is over. */
function freeToLaunch(
  { pool, taken, launching }: LaunchedSnapshot,
  shortage: Shortage | undefined,
  now: Instant,
): number {
  const free = Math.max(0, pool.maxInstances - taken);
  if (shortage === undefined) return free;
  return now < shortage.until || launching > 0 ? 0 : Math.min(free, 1);
}

interface Shortage {
  readonly until: Instant;
  readonly told: Told<WaitReason>;
}

/** The provider was out of capacity when it was asked last; the more often in a row, the longer nobody asks again. */
function shortageOf({ pool, launches }: LaunchedSnapshot): Shortage | undefined {
  const newestFirst = [...launches].sort((a, b) => b.ended - a.ended);
  const other = newestFirst.findIndex(({ shortage }) => shortage === undefined);
  const inARow = other < 0 ? newestFirst.length : other;
  const [newest] = newestFirst;
  if (inARow === 0 || newest === undefined) return undefined;
  const until = newest.ended + launchPause(inARow);
  return { until, told: outOfCapacity(pool.platform, newest.shortage ?? '', until) };
}
