// What a request to the API server asks for, read from its method and path.

export interface ApiPath {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'other';
  /** '' for paths that are no resource. */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  readonly dryRun: boolean;
}

export function readApiPath(method: string, path: string): ApiPath {
  const url = new URL(path, 'https://localhost');
  const parts = url.pathname.split('/').filter((it) => it !== '');
  const start = parts[0] === 'api' ? 2 : 3;
  const namespaced = parts[start] === 'namespaces' && parts.length > start + 2;
  const [resource = '', name, subresource] = parts.slice(namespaced ? start + 2 : start);
  return {
    verb: verbOf(method, name, url.searchParams),
    resource,
    namespace: namespaced ? parts[start + 1] : undefined,
    name,
    subresource,
    dryRun: url.searchParams.has('dryRun'),
  };
}

function verbOf(method: string, name: string | undefined, query: URLSearchParams): ApiPath['verb'] {
  switch (method) {
    case 'GET':
      if (['1', 'true'].includes(query.get('watch') ?? '')) return 'watch';
      return name === undefined ? 'list' : 'get';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return 'delete';
    default:
      return 'other';
  }
}
