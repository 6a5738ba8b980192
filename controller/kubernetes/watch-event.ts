// What a watch tells: one change of one object.
import type { KubeObject } from './cluster.ts';

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  /** Of an unmarked object, metadata only. */
  readonly object: KubeObject;
  /** Its text holds none of the marks: nobody keeps it. */
  readonly unmarked?: true;
}
