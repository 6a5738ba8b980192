// The `…-bind-address` flags: `:8443`, `127.0.0.1:8081`, `[::1]:8081`; `0` switches the server off.

export interface ListenAddress {
  /** Undefined: every interface. */
  readonly host: string | undefined;
  readonly port: number;
}

/** Undefined when switched off. Throws a sentence that names the flag. */
export function parseListenAddress(flag: string, value: string): ListenAddress | undefined {
  if (value === '0') return undefined;
  const match = /^(?:\[(?<ipv6>[0-9a-fA-F:.]+)\]|(?<host>[^:[\]\s]*)):(?<port>\d{1,5})$/.exec(value);
  const port = Number(match?.groups?.['port']);
  if (match === null || port > 65_535) {
    throw new Error(
      `${flag}: '${value}' is not an address; write ':8081', '127.0.0.1:8081', '[::1]:8081', or 0 for off`,
    );
  }
  const host = match.groups?.['ipv6'] ?? match.groups?.['host'];
  return { host: host === '' ? undefined : host, port };
}
