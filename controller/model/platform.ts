// The PLATFORM of a build: what is a well-formed one, and the forms other programs know it by.

/** A PLATFORM value that passed parsePlatform: `linux/arm64`, `linux-mlarge/arm64`, `local`. */
export type Platform = string & { readonly __brand: 'Platform' };

/** Values that name the cluster itself or need no `os/arch` form. */
const exempt = new Set(['local', 'localhost', 'linux/x86_64']);
const rfc1035Label = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

export const platformFormatMessage =
  "platform must be in format 'label/label' where each label follows Kubernetes RFC 1035 label name format";

/** The value, or undefined when it is malformed (see platformFormatMessage). */
export function parsePlatform(value: string): Platform | undefined {
  return isPlatform(value) ? value : undefined;
}

function isPlatform(value: string): value is Platform {
  if (exempt.has(value)) return true;
  const parts = value.split('/');
  return parts.length === 2 && parts.every((part) => rfc1035Label.test(part));
}

/** Label and config-key form: `linux-mlarge/arm64` → `linux-mlarge-arm64`. */
export function dashedPlatform(platform: string): string {
  return platform.replaceAll('/', '-');
}

/** First and last part of the dashed form, as the param RAW_PLATFORM: `linux-mlarge/arm64` → `linux-arm64`. */
export function rawPlatform(platform: string): string {
  const parts = dashedPlatform(platform).split('-');
  return parts.length < 2 ? platform : `${parts[0]}-${parts[parts.length - 1]}`;
}
