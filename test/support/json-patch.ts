// JSON Patch as the API server applies it: `test` against null passes for an absent key of a map that is there, and
// every path must exist up to its last part. Changes the document it is given.
import type { JsonPatchOperation } from '../../controller/kubernetes/cluster.ts';
import { isDeepStrictEqual } from 'node:util';

export class PatchRefused extends Error {
  override readonly name = 'PatchRefused';
}

export function applyJsonPatch(document: object, operations: readonly JsonPatchOperation[]): void {
  for (const operation of operations) applyOne(document, operation);
}

function applyOne(document: object, operation: JsonPatchOperation): void {
  const { op, path } = operation;
  const keys = path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = keys.pop();
  const parent = keys.reduce<unknown>((value, key) => (isMap(value) ? value[key] : undefined), document);
  if (last === undefined || !isMap(parent)) throw new PatchRefused(`${op} ${path}: missing path`);
  const known = Object.hasOwn(parent, last);
  switch (operation.op) {
    case 'test':
      if (!isDeepStrictEqual(parent[last] ?? null, operation.value ?? null))
        throw new PatchRefused(`test ${path} failed`);
      return;
    case 'add':
      parent[last] = structuredClone(operation.value);
      return;
    case 'replace':
      if (!known) throw new PatchRefused(`replace ${path}: missing path`);
      parent[last] = structuredClone(operation.value);
      return;
    case 'remove':
      if (!known) throw new PatchRefused(`remove ${path}: missing path`);
      delete parent[last];
  }
}

/** RFC 7386. */
export function applyMergePatch(target: Record<string, unknown>, patch: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete target[key];
    else if (isMap(value)) {
      const inner = isMap(target[key]) ? target[key] : {};
      target[key] = inner;
      applyMergePatch(inner, value);
    } else target[key] = structuredClone(value);
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
