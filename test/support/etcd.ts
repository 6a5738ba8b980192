// The etcd of one API server, which can be set back: an API server takes seconds to start, and what was written to it a moment to delete.
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { freePort } from './free-port.ts';

const root = '/registry/';
/** What the API server keeps there about itself. */
const ownKeys = ['/registry/leases/kube-system/', '/registry/masterleases/'];
const deletedAtOnce = 100;

const encoded = (text: string): string => Buffer.from(text).toString('base64');
const decoded = (text: string): string => Buffer.from(text, 'base64').toString();

export class Etcd {
  readonly url: string;
  #revision = 0;

  private constructor(url: string) {
    this.url = url;
  }

  /** Not waited for: the API server does that. */
  static async start(spawn: (flags: readonly string[]) => ChildProcess, folder: string): Promise<Etcd> {
    const client = `http://127.0.0.1:${await freePort()}`;
    const peer = `http://127.0.0.1:${await freePort()}`;
    spawn([
      `--data-dir=${folder}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      '--unsafe-no-fsync',
      '--log-level=error',
    ]);
    return new Etcd(client);
  }

  /** What is there now is what `forget` leaves. */
  async remember(): Promise<void> {
    const { header } = await this.#ask<{ header: { revision: string } }>('range', { key: encoded(root), limit: 1 });
    this.#revision = Number(header.revision);
  }

  /** Deletes what was made since `remember`. What was changed or deleted since stays so. */
  async forget(): Promise<void> {
    for (;;) {
      const keys = await this.#madeSince();
      if (keys.length === 0) return;
      while (keys.length > 0) {
        const success = keys.splice(0, deletedAtOnce).map((key) => ({ requestDeleteRange: { key: encoded(key) } }));
        await this.#ask('txn', { success });
      }
      // What is written about deleted objects comes a moment later.
      await sleep(10);
    }
  }

  async #madeSince(): Promise<string[]> {
    const { kvs = [] } = await this.#ask<{ kvs?: readonly { key: string }[] }>('range', {
      key: encoded(root),
      range_end: encoded(`${root.slice(0, -1)}0`),
      keys_only: true,
      min_create_revision: this.#revision + 1,
    });
    return kvs.map(({ key }) => decoded(key)).filter((key) => !ownKeys.some((own) => key.startsWith(own)));
  }

  async #ask<Answer>(what: 'range' | 'txn', body: object): Promise<Answer> {
    const answer = await request(`${this.url}/v3/kv/${what}`, { method: 'POST', body: JSON.stringify(body) });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`etcd, ${what}: ${answer.statusCode} ${text}`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return JSON.parse(text) as Answer;
  }
}
