// Reading JSON that others wrote: every step may be absent or of another type, and nothing here throws.

export type Json = Readonly<Record<string, unknown>>;

/** The value as an object; an empty one when it is anything else. */
export function asObject(value: unknown): Json {
  return isObject(value) ? value : {};
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The object's entries whose value is a string. */
export function asTextMap(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(asObject(value)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(entries);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
