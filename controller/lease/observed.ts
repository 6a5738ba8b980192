// What is known of one build: its TaskRun, and ours that work for it.
import type { HostFacts, LeaseFacts } from '../model/host-lease.ts';
import type { Instant } from '../model/instant.ts';
import type { LaunchedPool } from '../model/pool.ts';
import type { OwnTaskRun, UserTaskRun } from '../model/task-run.ts';
import { readOlderBuildUid } from '../taskruns/older-task-run.ts';
import type { BuildIdentity, Installation } from '../taskruns/own-task-run-manifest.ts';

export interface Observed {
  readonly build: BuildIdentity;
  /** Undefined: gone. Only TaskRuns of ours are left. */
  readonly taskRun: UserTaskRun | undefined;
  /** TaskRuns of ours that work for this build. */
  readonly children: readonly OwnTaskRun[];
  /** The pod of this build was already told that its Secret exists. */
  readonly podTold: boolean;
  /** uids of provision and launch TaskRuns that say that the Secret is there, although they still run. */
  readonly reported: ReadonlySet<string>;
  /** How far the build came while this process looked on; undefined: the claim was found as it is. */
  readonly seen: Seen | undefined;
  /** What label `…/assigned-host` of an unsigned build stands for. */
  readonly labelled: Labelled;
  /** The host is in host-config, or nobody can tell. */
  readonly isConfigured: (host: string) => boolean;
  /** The pool that launches hosts for this platform by Tasks of this type; undefined: none does now. */
  readonly launchedPool: (platform: string, type: string) => LaunchedPool | undefined;
  readonly installation: Installation;
}

export interface Seen {
  readonly attempt: number;
  /** The furthest: of these TaskRuns one was there. */
  readonly step: 'claim' | 'launch' | 'provision';
  /** Its provision TaskRun is gone, or being deleted. */
  readonly lostSince?: Instant;
}

/** Anyone may have written the label: it names a host of the build's own platform, or nothing. */
export type Labelled =
  | { readonly to: 'nothing' }
  /** Neither our writing, nor older than our first start. */
  | { readonly to: 'forgery' }
  /** host-config cannot be read now. */
  | { readonly to: 'unknown' }
  | { readonly to: 'host'; readonly claim: HostFacts; readonly hasRoom: boolean };

/** One attempt of the build on one host. */
export interface Lease {
  readonly attempt: number;
  readonly claim?: HostFacts;
}

/** Whether a TaskRun of ours works for this lease. */
export function worksFor(child: OwnTaskRun, { attempt, claim }: Lease): boolean {
  // A launched host belongs to one claim; its attempt grows with every launch TaskRun that is lost.
  if (claim?.provider === 'dynamic') return child.host === claim.host;
  if (claim === undefined || child.attempt !== attempt) return false;
  // An older controller's cleanups say the address only.
  return attempt === 0 ? child.facts?.claim?.address === claim.address : child.host === claim.host;
}

/** The provision TaskRun of a lease. */
export function provisionOf({ children }: Observed, lease: Lease | undefined): OwnTaskRun | undefined {
  return lease && children.find((child) => child.type === 'provision' && worksFor(child, lease));
}

/** The launch TaskRun of a lease. */
export function launchOf({ children }: Observed, lease: Lease | undefined): OwnTaskRun | undefined {
  return (
    lease &&
    children.find((child) => child.type === 'launch' && child.attempt === lease.attempt && worksFor(child, lease))
  );
}

/** How far this attempt came while this process looked on. */
export function seenOf({ seen }: Observed, { attempt }: Lease): Seen | undefined {
  return seen?.attempt === attempt ? seen : undefined;
}

/** Cleans up behind a lease, or terminates its host. */
export function isUndo({ type }: Pick<OwnTaskRun, 'type'>): boolean {
  return type === 'clean' || type === 'terminate';
}

/** Cleanups of a lease, newest try first. An older controller's counts once it succeeded: nothing holds it until then. */
export function undosOf({ children }: Pick<Observed, 'children'>, lease: Lease | undefined): OwnTaskRun[] {
  if (lease === undefined) return [];
  const all = children.filter(
    (child) =>
      isUndo(child) && worksFor(child, lease) && (child.outcome === 'succeeded' || !isOfOlderController(child)),
  );
  return all.sort((a, b) => b.cleanupTry - a.cleanupTry);
}

/** Somebody cleans up behind this lease, or did. */
export function isHandedOver(observed: Observed, lease: Lease): boolean {
  return (
    undosOf(observed, lease).length > 0 || observed.children.some((child) => child.cleaned && worksFor(child, lease))
  );
}

/** Made by an older controller, for a build it knew by name. */
export function isOfOlderController({ userUid, hasFinalizer, attempt }: OwnTaskRun): boolean {
  return attempt === 0 && !hasFinalizer && readOlderBuildUid(userUid) !== undefined;
}

/** The lease a TaskRun of ours was made for. */
export function leaseOf({ attempt, facts, host }: OwnTaskRun): Lease {
  // Without facts nothing can be done for it; it still belongs to that host.
  const unknown: HostFacts = { provider: 'static', host, address: '', user: '', sshSecret: '' };
  return { attempt, claim: facts?.claim ?? unknown };
}

/** The highest attempt anything was made for; undefined: nothing was. */
export function highestAttempt({ children }: Observed): number | undefined {
  const attempts = children.filter((child) => hasFacts(child)).map(({ attempt }) => attempt);
  return attempts.length === 0 ? undefined : Math.max(...attempts);
}

export function hasFacts(child: OwnTaskRun): child is OwnTaskRun & { readonly facts: LeaseFacts } {
  return child.facts?.claim !== undefined && (child.type === 'provision' || child.type === 'launch' || isUndo(child));
}
