// The Secret a build mounts: its keys in each form. Other people's Tasks read these; keys and trailing bytes are API.

/** Keys of the Secret `multi-platform-ssh-<TaskRun>`. */
export const sshSecretKeys = {
  /** `<user>@<address>` and a line feed, or `localhost`. */
  host: 'host',
  /** Home of the build user on the host, and a line feed. */
  userDir: 'user-dir',
  /** Private key, where no one-time hand-over is configured. */
  idRsa: 'id_rsa',
  /** One-time token, exchanged for the private key at `otp-server`. */
  otp: 'otp',
  otpCa: 'otp-ca',
  otpServer: 'otp-server',
  /** Optional: public host keys, for StrictHostKeyChecking=yes. */
  knownHosts: 'known_hosts',
  /** Only key of a Secret that says why there is no host. */
  error: 'error',
} as const;

/** Data of the Secret for a build that runs in its own pod. */
export const localSecretData = { [sshSecretKeys.host]: 'localhost' } as const;

export function isErrorSecret(data: Readonly<Record<string, string>>): boolean {
  return sshSecretKeys.error in data;
}

/** Data of the Secret that tells a build why it gets no host. */
export function errorSecretData(message: string, platform: string | undefined): Record<string, string> {
  const context = `Context info:\n  Platform: ${platform ?? '[UNKNOWN]'}`;
  return { [sshSecretKeys.error]: `${message}\n\n${context}\n\n` };
}
