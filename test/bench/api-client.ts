// The bench's own way to the API server: requests and watches, as admin. Shares no code with the controller it measures.
import { Agent, request } from 'undici';

export interface ApiAccess {
  readonly url: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** JSON as it came; who reads it names what it wants. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Raw = any;

export class ApiClient {
  readonly #access: ApiAccess;
  readonly #agent: Agent;

  constructor(access: ApiAccess) {
    this.#access = access;
    const { ca, cert, key } = access;
    this.#agent = new Agent({ connect: { ca, cert, key }, connections: 64 });
  }

  /** The parsed answer; rejects for anything but success. A patch is a merge patch. */
  async ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Raw> {
    const answer = await request(this.#access.url + path, {
      dispatcher: this.#agent,
      method,
      headers: { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 300)}`);
    return JSON.parse(text);
  }

  /** Everything there is, then every change, until close(): then it rejects. A watch the server ends is resumed. */
  async watch(path: string, onEvent: (type: string, object: Raw) => void): Promise<never> {
    let from = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
    for (;;) {
      const url = `${path}${path.includes('?') ? '&' : '?'}watch=1&allowWatchBookmarks=true&${from}`;
      const answer = await request(this.#access.url + url, { dispatcher: this.#agent, bodyTimeout: 0 });
      if (answer.statusCode !== 200) throw new Error(`watch ${path}: ${answer.statusCode}`);
      let rest = '';
      for await (const chunk of answer.body.setEncoding('utf8')) {
        const lines = (rest + String(chunk)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const { type, object }: { type: string; object: Raw } = JSON.parse(line);
          if (type === 'ERROR') throw new Error(`watch ${path}: ${line}`);
          from = `resourceVersion=${object.metadata.resourceVersion}`;
          if (type !== 'BOOKMARK') onEvent(type, object);
        }
      }
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

export const taskRunsOf = (namespace: string): string => `/apis/tekton.dev/v1/namespaces/${namespace}/taskruns`;

/** Runs the work for each item, so many at a time. */
export async function inParallel<Item>(
  items: readonly Item[],
  workers: number,
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: workers }, worker));
}
