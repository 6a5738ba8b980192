// Asks a registry, without credentials, for which platforms an image exists. The only part of taskgen that uses the network.

import type { ImageFacts } from './builder-image.ts';

const accepted = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
const patience = 15_000;

interface Asked {
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
}

interface Platform {
  readonly os?: string;
  readonly architecture?: string;
}

interface Manifest {
  readonly manifests?: readonly { readonly platform?: Platform }[];
  readonly config?: { readonly digest?: string };
}

export async function imagePlatforms(reference: string): Promise<ImageFacts> {
  const place = placeOf(reference);
  if (place === undefined) return { problem: 'it is no complete reference; its parameter has no default' };
  try {
    const get = await reader(place.repository, `manifests/${place.version}`);
    const manifest = await get<Manifest>(`manifests/${place.version}`);
    const platforms = manifest.manifests?.map(({ platform }) => platform ?? {}) ?? [
      await get<Platform>(`blobs/${manifest.config?.digest ?? ''}`),
    ];
    return {
      platforms: [...new Set(platforms.filter(isKnown).map(({ os, architecture }) => `${os}/${architecture}`))],
    };
  } catch (error) {
    return { problem: reasonOf(error) };
  }
}

/** The URL of the repository, and the tag or digest. Docker Hub has names of its own. */
function placeOf(reference: string): { repository: string; version: string } | undefined {
  const [, name, tag, digest] = /^([\w.:/-]+?)(?::([\w.-]+))?(?:@([\w:]+))?$/.exec(reference) ?? [];
  if (name === undefined) return undefined;
  const [first = '', ...rest] = name.split('/');
  const hasRegistry = rest.length > 0 && /[.:]|^localhost$/.test(first);
  const path = hasRegistry ? rest.join('/') : rest.length > 0 ? name : `library/${name}`;
  const isHub = !hasRegistry || first === 'docker.io';
  const host = isHub ? 'registry-1.docker.io' : first;
  const scheme = /^(?:localhost|127\.0\.0\.1)(?::|$)/.test(host) ? 'http' : 'https';
  const repository = isHub && hasRegistry && rest.length === 1 ? `library/${path}` : path;
  return { repository: `${scheme}://${host}/v2/${repository}`, version: digest ?? tag ?? 'latest' };
}

/** Most registries give everybody a token for public images, and want to see it. */
async function reader(repository: string, first: string) {
  const { status, headers } = await request(`${repository}/${first}`, { method: 'HEAD' });
  const challenge = status === 401 ? (headers.get('www-authenticate') ?? '') : '';
  const value = (key: string) => new RegExp(`${key}="([^"]*)"`).exec(challenge)?.[1];
  const realm = value('realm');
  const authorization: Record<string, string> = {};
  if (realm !== undefined && /^bearer /i.test(challenge)) {
    const url = new URL(realm);
    for (const key of ['service', 'scope']) url.searchParams.set(key, value(key) ?? '');
    const { token, access_token: other } = await answerOf<{ token?: string; access_token?: string }>(url.href, {});
    authorization['authorization'] = `Bearer ${token ?? other}`;
  }
  return async <T>(path: string) => answerOf<T>(`${repository}/${path}`, { headers: authorization });
}

async function answerOf<T>(url: string, init: Asked): Promise<T> {
  const response = await request(url, init);
  if (!response.ok) throw new Error(`${new URL(url).host} answered ${response.status} ${response.statusText}`.trim());
  const answer: T = JSON.parse(await response.text());
  return answer;
}

async function request(url: string, { method = 'GET', headers = {} }: Asked): Promise<Response> {
  const signal = AbortSignal.timeout(patience);
  return fetch(url, { method, headers: { accept: accepted, ...headers }, signal });
}

/** Attestations are listed as images for the platform "unknown". */
function isKnown({ os, architecture }: Platform): boolean {
  return os !== undefined && architecture !== undefined && os !== 'unknown';
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
