// A complete list, both ways: as the first events of a watch, or in pages. Each object is projected as it arrives, so
// that 10,000 objects nobody keeps cost no memory.
import type { Duration } from '../model/instant.ts';
import type { CachedObject } from './cache.ts';
import type { KubeObject } from './cluster.ts';
import type { ApiRequest } from './http-transport.ts';
import type { Projection } from './projection.ts';
import { acceptOf, listPath } from './watch-query.ts';
import type { WatchScope } from './watch-query.ts';
import type { WatchEvent } from './watch-event.ts';

const initialEventsEnd = 'k8s.io/initial-events-end';
const pageDeadline: Duration = 30_000;

/** What a streaming list has brought so far. */
export class InitialEvents<T extends CachedObject> {
  readonly #projection: Projection<T>;
  readonly #byUid = new Map<string, T>();

  constructor(projection: Projection<T>) {
    this.#projection = projection;
  }

  /** Returns true when that was the last one: from then on the watch reports changes. */
  take(event: WatchEvent): boolean {
    const { type, object } = event;
    if (type === 'BOOKMARK') return object.metadata.annotations?.[initialEventsEnd] === 'true';
    const projected = type === 'DELETED' ? undefined : this.#projection.ofEvent(event);
    if (projected === undefined) this.#byUid.delete(object.metadata.uid);
    else this.#byUid.set(object.metadata.uid, projected);
    return false;
  }

  objects(): Iterable<T> {
    return this.#byUid.values();
  }
}

interface Page {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items?: readonly KubeObject[] | null;
}

interface PageSender {
  request(request: ApiRequest): Promise<string>;
}

/** For servers without streaming lists. */
export async function listPages<T extends CachedObject>(
  scope: WatchScope,
  sender: PageSender,
  projection: Projection<T>,
  pageSize: number,
  onPage: () => void,
): Promise<{ readonly objects: readonly T[]; readonly resourceVersion: string }> {
  const objects: T[] = [];
  let continuation = '';
  for (;;) {
    const page: Page = JSON.parse(
      await sender.request({
        verb: 'list',
        resource: scope.resource,
        path: listPath(scope, pageSize, continuation),
        accept: acceptOf(scope, true),
        repeatable: true,
        fenced: false,
        deadline: pageDeadline,
      }),
    );
    onPage();
    for (const raw of page.items ?? []) {
      const projected = projection.of(raw);
      if (projected !== undefined) objects.push(projected);
    }
    continuation = page.metadata.continue ?? '';
    if (continuation === '') return { objects, resourceVersion: page.metadata.resourceVersion };
  }
}
