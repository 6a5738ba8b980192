// What the REASON results of a failed provision say about its host. The whole list is in tasks/README.md.

/** REASON results that mean that nothing ran on the host: there is nothing to clean, and no way in to do it. */
export const neverEntered: ReadonlySet<string> = new Set([
  'AuthenticationFailed',
  'HostKeyChanged',
  'HostKeyUnknown',
  'HostUnknown',
  'InvalidParameter',
  'RootRefused',
  'SshSecretInvalid',
]);

/** REASON results of a provision that say nothing about the host. */
export const blamelessReasons: ReadonlySet<string> = new Set([
  'InvalidParameter',
  'AlreadyCleaned',
  'SecretExists',
  'SecretUncertain',
  'NamespaceGone',
  'Forbidden',
  'SecretRefused',
  'ApiUnavailable',
  'OtpServerRefused',
]);

/** After so many attempts that no host is to blame for, trying on helps nobody. */
export const mostBlamelessAttempts = 5;
