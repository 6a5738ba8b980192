// Turns any value into what one JSON log line may hold: errors spelled out, secrets replaced, size bounded.
// Never throws: a log call must not be able to break its caller.

const redacted = '[redacted]';
const maxDepth = 6;
const maxEntries = 100;
const maxText = 8 * 1024;

/** Field names whose value is a credential, however it is spelled (`idRsa`, `id_rsa`, `ID-RSA`). Names of Secrets stay. */
const secretName =
  /^(data|stringdata|secretdata|idrsa|key|otp|hmac|passphrase|cookie|setcookie)$|token$|password|passwd|authorization|credential|privatekey|apikey|accesskey|secretkey/;
/** Credentials recognised by their form, wherever they stand. */
const secretText: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g,
  /(?<=\bbearer )[\w.~+/=-]+/gi,
];
/** What error classes of Node, Kubernetes and HTTP clients add and a reader needs. Bodies and headers may hold secrets. */
const errorFields = ['code', 'reason', 'status', 'statusCode', 'syscall', 'address', 'port', 'exitCode', 'signal'];

/** The fields of one log line. */
export function logFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return fromEntries(Object.entries(fields), (value) => toPlain(value, 1, new Set()));
}

/** Free text for a log line: credentials replaced, length bounded. */
export function logText(text: string): string {
  let clean = text;
  for (const pattern of secretText) clean = clean.replace(pattern, redacted);
  return clean.length <= maxText ? clean : `${clean.slice(0, maxText)}… (${clean.length} characters)`;
}

function toPlain(value: unknown, depth: number, ancestors: Set<object>): unknown {
  if (typeof value === 'string') return logText(value);
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (ancestors.has(value)) return '[circular]';
  if (depth >= maxDepth) return '[too deep]';
  ancestors.add(value);
  try {
    return fromObject(value, (inner) => toPlain(inner, depth + 1, ancestors));
  } catch (error) {
    return `[unreadable: ${String(error)}]`;
  } finally {
    ancestors.delete(value);
  }
}

function fromObject(value: object, plain: (inner: unknown) => unknown): unknown {
  if (value instanceof Error) return fromError(value, plain);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? String(value) : value.toISOString();
  if (value instanceof RegExp || value instanceof URL) return logText(String(value));
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (value instanceof Map)
    return fromEntries(
      [...value].map(([key, inner]) => [String(key), inner]),
      plain,
    );
  if (value instanceof Set) return fromList([...value], plain);
  if (Array.isArray(value)) return fromList(value, plain);
  return fromEntries(Object.entries(value), plain);
}

function fromError(error: Error, plain: (inner: unknown) => unknown): Record<string, unknown> {
  const result: Record<string, unknown> = { name: error.name, message: logText(error.message) };
  for (const name of errorFields) {
    const field: unknown = Reflect.get(error, name);
    if (typeof field === 'string' || typeof field === 'number') result[name] = plain(field);
  }
  if (typeof error.stack === 'string') result['stack'] = logText(error.stack);
  if (error.cause !== undefined) result['cause'] = plain(error.cause);
  if (error instanceof AggregateError) result['errors'] = plain(error.errors);
  return result;
}

function fromList(list: readonly unknown[], plain: (inner: unknown) => unknown): unknown[] {
  const kept = list.slice(0, maxEntries).map((inner) => plain(inner));
  return list.length <= maxEntries ? kept : [...kept, `… ${list.length - maxEntries} more`];
}

function fromEntries(
  entries: readonly [string, unknown][],
  plain: (inner: unknown) => unknown,
): Record<string, unknown> {
  const result: [string, unknown][] = entries
    .slice(0, maxEntries)
    .map(([key, inner]) => [key, isSecretName(key) ? redacted : plain(inner)]);
  if (entries.length > maxEntries) result.push(['…', `${entries.length - maxEntries} more`]);
  return Object.fromEntries(result);
}

function isSecretName(key: string): boolean {
  return secretName.test(key.toLowerCase().replaceAll(/[^a-z0-9]/g, ''));
}
