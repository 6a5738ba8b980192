// The Secret that keeps the key of a build, written and read. Whether a token may have it is one question asked of it:
// is it the right one, in time, and not spent since it was last armed? Pure.
import { timingSafeEqual } from 'node:crypto';
import type { JsonPatchOperation, KubeManifest, KubeObject } from '../kubernetes/cluster.ts';
import { type Instant, parseInstant } from '../model/instant.ts';
import { asTextMap } from '../model/json.ts';
import { labels } from '../model/labels.ts';
import { armedAnnotation, spentAnnotation, storedKeyLabel, storedKeyName } from '../model/one-time-key.ts';

/** Whose key it is, as the provision TaskRun says. */
export interface BuildIdentity {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Which claim of the build. */
  readonly attempt: number;
}

export interface StoredKey {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly digest: Buffer;
  readonly sealed: Buffer;
  /** Name of the encryption key. */
  readonly sealedWith: string;
  readonly armed: number;
  readonly spent: number;
  /** Which redemption spent it. */
  readonly spentBy: string;
  readonly attempt: number;
  readonly expires: Instant;
  /** For the log. */
  readonly build: string;
}

export type Refusal = 'unknown' | 'expired' | 'spent';

export const expiresAnnotation = `${storedKeyLabel}-expires`;
const spentByAnnotation = `${storedKeyLabel}-spent-by`;

export function storedKeyManifest(
  id: string,
  content: Pick<StoredKey, 'digest' | 'sealed' | 'sealedWith' | 'expires'>,
  build: BuildIdentity | undefined,
): KubeManifest {
  const of = {
    [labels.userTaskUid]: build?.uid,
    [labels.userTaskNamespace]: build?.namespace,
    [labels.userTaskName]: build?.name,
    [labels.attempt]: build === undefined ? undefined : String(build.attempt),
  };
  return {
    metadata: {
      name: storedKeyName(id),
      labels: { [storedKeyLabel]: 'true', ...of },
      annotations: {
        [armedAnnotation]: '1',
        [spentAnnotation]: '0',
        [expiresAnnotation]: new Date(content.expires).toISOString(),
      },
    },
    type: 'Opaque',
    data: {
      digest: content.digest.toString('base64'),
      sealed: content.sealed.toString('base64'),
      'sealed-with': Buffer.from(content.sealedWith).toString('base64'),
    },
  };
}

export function readStoredKey(raw: KubeObject): StoredKey {
  const { name, uid, resourceVersion, annotations = {}, labels: marks = {} } = raw.metadata;
  const data = asTextMap(raw['data']);
  const bytes = (key: string): Buffer => Buffer.from(data[key] ?? '', 'base64');
  return {
    name,
    uid,
    resourceVersion,
    digest: bytes('digest'),
    sealed: bytes('sealed'),
    sealedWith: bytes('sealed-with').toString(),
    armed: countOf(annotations[armedAnnotation]),
    spent: countOf(annotations[spentAnnotation]),
    spentBy: annotations[spentByAnnotation] ?? '',
    attempt: countOf(marks[labels.attempt]),
    expires: readExpiry(raw) ?? 0,
    build: `${marks[labels.userTaskNamespace] ?? ''}/${marks[labels.userTaskName] ?? ''}`,
  };
}

/** Also of an object of which only the metadata is known. */
export function readExpiry(raw: KubeObject): Instant | undefined {
  return parseInstant(raw.metadata.annotations?.[expiresAnnotation]);
}

/** Undefined: the bearer of a token with this digest may have the key. */
export function refusalOf(stored: StoredKey, digest: Buffer, now: Instant): Refusal | undefined {
  if (stored.digest.length !== digest.length || !timingSafeEqual(stored.digest, digest)) return 'unknown';
  if (now >= stored.expires) return 'expired';
  return stored.spent < stored.armed ? undefined : 'spent';
}

/** Takes what is armed, if nobody has touched the Secret since it was read. */
export function spendPatch({ resourceVersion, armed }: StoredKey, redemption: string): JsonPatchOperation[] {
  return [
    { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
    annotate(spentAnnotation, String(armed)),
    annotate(spentByAnnotation, redemption),
  ];
}

/** Takes back what this redemption spent, and no other. */
export function giveBackPatch({ uid, spent }: StoredKey, redemption: string): JsonPatchOperation[] {
  return [
    { op: 'test', path: '/metadata/uid', value: uid },
    { ...annotate(spentByAnnotation, redemption), op: 'test' },
    annotate(spentAnnotation, String(spent)),
    annotate(spentByAnnotation, ''),
  ];
}

function annotate(key: string, value: string): { op: 'add'; path: string; value: string } {
  return { op: 'add', path: `/metadata/annotations/${key.replaceAll('/', '~1')}`, value };
}

/** Nothing but a plain number counts. */
function countOf(text: string | undefined): number {
  return /^[0-9]{1,9}$/.test(text ?? '') ? Number(text) : 0;
}
