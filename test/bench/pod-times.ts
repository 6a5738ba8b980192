// When pods were seen to be scheduled, to run and to be gone, by one watch of all of them: asking again and again would be a load of its own.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Raw } from '../cluster/build.ts';
import type { Kubectl } from '../cluster/kubectl.ts';

/** Milliseconds since 1970; undefined as long as it was not seen. */
export interface PodTimes {
  readonly namespace: string;
  readonly name: string;
  scheduled?: number;
  running?: number;
  /** Its object is gone. */
  gone?: number;
}

export interface PodWatch {
  pods(): readonly PodTimes[];
  stop(): void;
}

/** `onChange`: after each. */
export function watchPods(kubectl: Kubectl, onChange: () => void = () => {}): PodWatch {
  const known = new Map<string, PodTimes>();
  const stop = watchObjects(kubectl, '/api/v1/pods', (event) => {
    note(known, event, Date.now());
    onChange();
  });
  return { pods: () => [...known.values()], stop };
}

/** Returns what ends it. */
export function watchObjects(kubectl: Kubectl, path: string, onEvent: (event: Raw) => void): () => void {
  // An event a line.
  const child = spawn('kubectl', ['get', '--raw', `${path}?watch=true`], {
    env: kubectl.env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  createInterface({ input: child.stdout }).on('line', (line) => onEvent(JSON.parse(line)));
  return () => void child.kill();
}

function note(known: Map<string, PodTimes>, { type, object }: Raw, now: number): void {
  const { namespace, name } = object.metadata;
  const times: PodTimes = known.get(`${namespace}/${name}`) ?? { namespace, name };
  known.set(`${namespace}/${name}`, times);
  if (object.spec.nodeName !== undefined) times.scheduled ??= now;
  if (object.status.phase !== 'Pending') times.running ??= now;
  if (type === 'DELETED') times.gone ??= now;
}
