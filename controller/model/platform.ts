// The PLATFORM of a build: what is a well-formed one, and the forms other programs know it by.

/** A PLATFORM value that passed parsePlatform: `linux/arm64`, `linux-mlarge/arm64`, `local`. */
export type Platform = string & { readonly __brand: 'Platform' };

/** Values that name the cluster itself or need no `os/arch` form. */
const exempt = new Set(['local', 'localhost', 'linux/x86_64']);
const rfc1035Label = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

export const platformFormatMessage =
  "platform must be in format 'label/label' where each label follows Kubernetes RFC 1035 label name format";

/** Returns the platform, or undefined when the value is malformed (see platformFormatMessage). */
export function parsePlatform(value: string): Platform | undefined {
  if (exempt.has(value)) return value as Platform;
  const parts = value.split('/');
  const wellFormed = parts.length === 2 && parts.every((part) => rfc1035Label.test(part));
  return wellFormed ? (value as Platform) : undefined;
}

/** Label and config-key form: `linux-mlarge/arm64` → `linux-mlarge-arm64`. */
export function dashedPlatform(platform: string): string {
  return platform.replaceAll('/', '-');
}

/** First and last part of the dashed form, as the param RAW_PLATFORM: `linux-mlarge/arm64` → `linux-arm64`. */
export function rawPlatform(platform: Platform): string {
  const parts = dashedPlatform(platform).split('-');
  return parts.length < 2 ? platform : `${parts[0]}-${parts[parts.length - 1]}`;
}
