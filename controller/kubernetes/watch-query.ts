// The query strings of lists and watches. Builds text only.
import type { Duration } from '../model/instant.ts';
import { resourcePath } from './resource.ts';
import type { StoredResource } from './resource.ts';

/** What a reflector looks at. */
export interface WatchScope {
  readonly resource: StoredResource;
  /** Absent: every namespace. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Only `metadata` of each object is sent: no Secret data, a fraction of the bytes. */
  readonly metadataOnly?: boolean;
}

export function listPath(scope: WatchScope, pageSize: number, continuation: string): string {
  return withQuery(scope, { limit: String(pageSize), ...(continuation === '' ? {} : { continue: continuation }) });
}

/** Without a version to resume from: everything there is first, then what changes (a streaming list). */
export function watchPath(scope: WatchScope, resumeFrom: string | undefined, lasting: Duration): string {
  return withQuery(scope, {
    watch: '1',
    allowWatchBookmarks: 'true',
    timeoutSeconds: String(Math.ceil(lasting / 1000)),
    ...(resumeFrom === undefined
      ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }
      : { resourceVersion: resumeFrom }),
  });
}

export function acceptOf(scope: WatchScope, list: boolean): string {
  if (scope.metadataOnly !== true) return 'application/json';
  return `application/json;as=PartialObjectMetadata${list ? 'List' : ''};g=meta.k8s.io;v=v1`;
}

function withQuery(scope: WatchScope, parameters: Readonly<Record<string, string>>): string {
  const { labelSelector, fieldSelector } = scope;
  const query = new URLSearchParams({
    ...parameters,
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  });
  return `${resourcePath(scope.resource, scope.namespace)}?${query.toString()}`;
}
