// The sentences a build is told when it gets no host: why, and what would help. Other people's tools read their beginnings.
import type { HostRequest } from '../model/host-request.ts';
import { minute, type Duration, type Instant } from '../model/instant.ts';
import type { RejectReason, Told, WaitReason } from '../model/reason.ts';
import type { HostUse } from './pool-snapshot.ts';

export function unknownPlatform(platform: string, configured: readonly string[]): Told<RejectReason> {
  const choice = configured.length === 0 ? 'none is configured' : `configured are ${configured.join(', ')}`;
  const remedy = `ask an administrator to add hosts for it to host-config, or choose another PLATFORM (${choice})`;
  return {
    reason: 'PlatformUnknown',
    message: `Error allocating host: no hosts configured for platform ${platform}: ${remedy}`,
  };
}

export function namespaceNotAllowed({ namespace }: HostRequest): Told<RejectReason> {
  const message =
    `namespace ${namespace} does not match any namespace defined in allowed namespaces, ` +
    'ask an administrator to enable multi platform builds for your namespace';
  return { reason: 'NamespaceNotAllowed', message };
}

export function noSshSecret(hosts: readonly HostUse[]): Told<RejectReason & WaitReason> {
  return noSshSecretNamed([...new Set(hosts.map((use) => use.host.secret))].join(', '));
}

/** `secrets`: one name, or several with commas. */
export function noSshSecretNamed(secrets: string): Told<RejectReason & WaitReason> {
  const remedy = `ask an administrator to create Secret ${secrets} with key id_rsa and the label build.appstudio.redhat.com/multi-platform-secret in the operator namespace`;
  return {
    reason: 'SshSecretMissing',
    message: `failed to get SSH secret, system may not be configured correctly: ${remedy}`,
  };
}

/** `key`: the one of host-config that names the Secret. */
export function noCredentials(key: string, secret: string): Told<RejectReason & WaitReason> {
  const remedy = `ask an administrator to create it there with the label build.appstudio.redhat.com/multi-platform-secret, or to correct that key`;
  return {
    reason: 'CredentialsMissing',
    message: `Error allocating host: ${key} in host-config is ${secret}, and the operator namespace has no such Secret: ${remedy}`,
  };
}

export function allHostsFailed(request: HostRequest): Told<RejectReason> {
  const remedy = 'run the build again; if it fails again, ask an administrator to look at these hosts';
  const why = request.lastFailure === undefined ? '' : ` (last: ${request.lastFailure})`;
  const failed = `all available hosts for the platform have failed: ${request.failedHosts.join(',')}`;
  return { reason: 'AllHostsFailed', message: `Error allocating host: ${failed}${why}: ${remedy}` };
}

export function waitedTooLong(request: HostRequest, now: Instant): Told<RejectReason> {
  const waited = durationText(now - request.since);
  const remedy = 'run the build again later, or ask an administrator for more hosts or a longer max-wait';
  const message = `Error allocating host: no host for platform ${request.platform} became free in ${waited}: ${remedy}`;
  return { reason: 'WaitedTooLong', message };
}

export function allBusy(hosts: readonly HostUse[], quarantined: boolean): Told<WaitReason> {
  const slots = hosts.reduce((sum, use) => sum + use.host.concurrency, 0);
  const elsewhere = [
    ...(hosts.some((use) => use.cordoned) ? ['on cordoned hosts'] : []),
    ...(hosts.some((use) => use.draining) ? ['on hosts that are being updated'] : []),
    ...(quarantined ? ['on quarantined hosts'] : []),
  ];
  return {
    reason: 'NoFreeSlot',
    message: ['all ' + slots + ' slots of the platform are taken', ...elsewhere].join(' or '),
  };
}

export function allInstancesTaken(most: number): Told<WaitReason> {
  const message = `all ${most} hosts the platform may have at once are taken or still being removed (max-instances)`;
  return { reason: 'NoFreeSlot', message };
}

export function outOfCapacity(platform: string, said: string, until: Instant): Told<WaitReason> {
  const message = `the provider has no capacity for platform ${platform}: ${said} (asked again at ${timeText(until)})`;
  return { reason: 'OutOfCapacity', message };
}

export function hostsAreLaunched(count: number): Told<WaitReason> {
  const message = `no slot is free; ${count > 1 ? `${count} hosts are` : 'a host is'} being launched`;
  return { reason: 'NoFreeSlot', message };
}

export function launchCameToNothing(said: string, until: Instant): Told<WaitReason> {
  return {
    reason: 'NoFreeSlot',
    message: `the last launch of a host failed: ${said} (tried again at ${timeText(until)})`,
  };
}

export function launchFailed(said: string): Told<RejectReason> {
  const remedy = 'run the build again later; if it fails again, ask an administrator to look at the launch';
  return { reason: 'LaunchFailed', message: `Error allocating host: no host could be launched: ${said}: ${remedy}` };
}

export function namespaceLimit(namespace: string, most: number | undefined): Told<WaitReason> {
  const message = `namespace ${namespace} holds all ${most} slots of the platform it may have at once (max-per-namespace)`;
  return { reason: 'NamespaceLimit', message };
}

/** `hosts`: names, with the ends of their quarantine. */
export function hostsQuarantined(hosts: readonly (readonly [string, Instant])[]): Told<WaitReason> {
  const first = Math.min(...hosts.map(([, until]) => until));
  const names = hosts.map(([name]) => name).join(', ');
  const message = `hosts left for this build are quarantined because provisions on them failed: ${names} (the first until ${timeText(first)})`;
  return { reason: 'HostsQuarantined', message };
}

/** `90 s`, `10 min`: short enough to read, never rounded to nothing. */
function durationText(duration: Duration): string {
  return duration < 2 * minute ? `${Math.round(duration / 1000)} s` : `${Math.round(duration / minute)} min`;
}

function timeText(instant: Instant): string {
  return new Date(instant).toISOString().slice(0, 19) + 'Z';
}
