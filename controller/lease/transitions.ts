// The order of a lease's life as one table: what may follow what, and on what occasion. The diagram in
// controller/README.md is generated from it, and a test holds every look at a lease against it.
import type { LeasePhase } from '../model/host-lease.ts';

export interface Transition {
  readonly from: LeasePhase;
  readonly to: LeasePhase;
  readonly on: string;
}

export const transitions: readonly Transition[] = [
  { from: 'unsigned', to: 'provisioning', on: 'its provision TaskRun tells the facts' },
  { from: 'unsigned', to: 'provisioned', on: 'the same, and it succeeded' },
  { from: 'unsigned', to: 'failed', on: 'the same, and it failed' },
  { from: 'unsigned', to: 'launching', on: 'its launch TaskRun tells the facts' },
  { from: 'unsigned', to: 'launched', on: 'that one succeeded' },
  { from: 'unsigned', to: 'unlaunched', on: 'that one failed' },
  { from: 'unsigned', to: 'ready', on: 'its label names a host with a free slot, and the Secret is there' },
  { from: 'unsigned', to: 'claimed', on: 'its label says that it is local, or names its own launched host' },
  { from: 'unsigned', to: 'waiting', on: 'nothing is held for it' },
  { from: 'unsigned', to: 'rejected', on: 'it was: its facts are put back' },
  { from: 'unsigned', to: 'stopping', on: 'build ended: its provision TaskRun tells the facts' },
  { from: 'unsigned', to: 'releasing', on: 'build ended: its host is known' },
  { from: 'unsigned', to: 'over', on: 'build ended' },
  { from: 'waiting', to: 'claimed', on: 'a slot is free' },
  { from: 'waiting', to: 'rejected', on: 'no host can ever be had' },
  { from: 'waiting', to: 'over', on: 'build ended' },
  { from: 'claimed', to: 'provisioning', on: 'provision TaskRun created' },
  { from: 'claimed', to: 'launching', on: 'launch TaskRun created' },
  { from: 'claimed', to: 'waiting', on: 'nobody launches hosts for its platform any more' },
  { from: 'claimed', to: 'ready', on: 'local: Secret created' },
  { from: 'claimed', to: 'releasing', on: 'build ended' },
  { from: 'launching', to: 'launched', on: 'it succeeded' },
  { from: 'launching', to: 'unlaunched', on: 'it failed, or took too long' },
  { from: 'launching', to: 'claimed', on: 'it was deleted: next attempt, same host' },
  { from: 'launching', to: 'ready', on: 'the host prepares itself, and the Secret is there' },
  { from: 'launching', to: 'stopping', on: 'build ended' },
  { from: 'launching', to: 'releasing', on: 'build ended, and it was deleted' },
  { from: 'launched', to: 'provisioning', on: 'provision TaskRun created' },
  { from: 'launched', to: 'ready', on: 'the host prepared itself: the Secret is there' },
  { from: 'launched', to: 'waiting', on: 'there is no way to the host: another one' },
  { from: 'launched', to: 'rejected', on: 'the Secret is missing, or one host too many failed' },
  { from: 'launched', to: 'releasing', on: 'build ended' },
  { from: 'unlaunched', to: 'waiting', on: 'the provider is out of capacity, or another launch may help' },
  { from: 'unlaunched', to: 'rejected', on: 'another launch would not help' },
  { from: 'unlaunched', to: 'releasing', on: 'build ended' },
  { from: 'provisioning', to: 'ready', on: 'it says that the Secret is there, and it is' },
  { from: 'provisioning', to: 'provisioned', on: 'it succeeded' },
  { from: 'provisioning', to: 'failed', on: 'it failed' },
  { from: 'provisioning', to: 'claimed', on: 'it was deleted: next attempt' },
  { from: 'provisioning', to: 'waiting', on: 'it was deleted: another launched host' },
  { from: 'provisioning', to: 'rejected', on: 'it was deleted, and one launched host too many failed' },
  { from: 'provisioning', to: 'stopping', on: 'build ended' },
  { from: 'provisioning', to: 'releasing', on: 'build ended, and it was deleted' },
  { from: 'provisioned', to: 'ready', on: 'the Secret is there' },
  { from: 'provisioned', to: 'rejected', on: 'the Secret is missing' },
  { from: 'provisioned', to: 'releasing', on: 'build ended' },
  { from: 'failed', to: 'waiting', on: 'another host' },
  { from: 'failed', to: 'rejected', on: 'another host would not help' },
  { from: 'failed', to: 'releasing', on: 'build ended' },
  { from: 'ready', to: 'releasing', on: 'build ended' },
  { from: 'stopping', to: 'releasing', on: 'its TaskRun is done, or 30 s passed' },
  { from: 'releasing', to: 'over', on: 'cleanup or terminate TaskRun created' },
  { from: 'rejected', to: 'over', on: 'build ended' },
];

/** The table as a Mermaid state diagram. */
export function transitionDiagram(): string {
  const lines = transitions.map(({ from, to, on }) => `  ${from} --> ${to}: ${on.replaceAll(':', ',')}`);
  const begins = ['  [*] --> waiting', '  [*] --> unsigned: facts are missing'];
  return ['stateDiagram-v2', ...begins, ...lines, '  over --> [*]'].join('\n');
}
