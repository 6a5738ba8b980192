// Tekton and the other tenants of the cluster, as a process of their own: what they cost is not counted as anybody's.
// Provision and cleanup TaskRuns succeed after a moment; foreign TaskRuns are made and changed as told.
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient, inParallel, taskRunsOf, type ApiAccess, type Raw } from './api-client.ts';
import { foreignName, foreignNamespace, foreignSpec, foreignUpdate } from './foreign-task-run.ts';

export type Order =
  | { readonly type: 'start'; readonly access: ApiAccess }
  /** From now on provision TaskRuns go on until 'release'. */
  | { readonly type: 'hold' }
  | { readonly type: 'release' }
  /** Makes foreign TaskRuns of 25 KB: numbers from (inclusive) to (exclusive). */
  | { readonly type: 'foreign'; readonly from: number; readonly to: number }
  /** Changes the status of the first so many of them, round and round. */
  | { readonly type: 'update'; readonly among: number; readonly perSecond: number; readonly seconds: number };

/** How long TaskRuns of the controller take, at least. */
const takes = 100;
const label = 'build.appstudio.redhat.com/task-type';
const seen = new Set<string>();
let client: ApiClient | undefined;
let released: Promise<void> = Promise.resolve();
let release = (): void => undefined;

process.on('message', (order: Order) => {
  void obey(order).then(
    () => process.send?.('done'),
    (error: unknown) => {
      console.error('bench: the load actor failed:', error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));

async function obey(order: Order): Promise<void> {
  if (order.type === 'start') {
    client = new ApiClient(order.access);
    void client.watch(`/apis/tekton.dev/v1/taskruns?labelSelector=${label}`, noteOurs).catch((error: unknown) => {
      console.error('bench: the load actor sees nothing more:', error);
      process.exit(1);
    });
  } else if (client === undefined) {
    throw new Error('start comes first');
  } else if (order.type === 'hold') {
    released = new Promise((resolve) => (release = resolve));
  } else if (order.type === 'release') {
    release();
  } else if (order.type === 'foreign') {
    const numbers = Array.from({ length: order.to - order.from }, (_, nth) => order.from + nth);
    const api = client;
    await inParallel(numbers, 16, async (nth) => makeForeign(api, nth));
  } else {
    await updateForeign(client, order.among, order.perSecond, order.seconds);
  }
}

function noteOurs(type: string, object: Raw): void {
  if (type !== 'ADDED' || seen.has(object.metadata.uid) || object.status?.completionTime !== undefined) return;
  seen.add(object.metadata.uid);
  const provision = object.metadata.labels[label] === 'provision';
  void finish(object, provision).catch((error: unknown) => {
    // A controller may delete what it made before it ended.
    if (!String(error).includes(': 404')) console.error('bench: a TaskRun could not be ended:', error);
  });
}

async function finish(taskRun: Raw, provision: boolean): Promise<void> {
  const { namespace, name } = taskRun.metadata;
  await sleep(takes);
  if (provision) {
    await released;
    await makeSecret(taskRun);
  }
  const condition = { type: 'Succeeded', status: 'True', reason: 'Succeeded', message: '' };
  const status = { podName: `${name}-pod`, completionTime: timeNow(), conditions: [condition] };
  await client?.ask('PATCH', `${taskRunsOf(namespace)}/${name}/status`, { status });
}

/** What a provision TaskRun does: the Secret of the build and, with a uid to tell of, the Event that it is there. */
async function makeSecret(taskRun: Raw): Promise<void> {
  const param = (name: string): string | undefined => taskRun.spec.params.find((it: Raw) => it.name === name)?.value;
  const [namespace, name, uid] = [param('NAMESPACE'), param('TASKRUN_NAME'), param('TASKRUN_UID')];
  const owner = { apiVersion: 'tekton.dev/v1', kind: 'TaskRun', name, uid };
  const metadata = {
    name: param('SECRET_NAME'),
    labels: { 'build.appstudio.redhat.com/multi-platform-secret': 'true' },
    ...(uid === undefined ? {} : { ownerReferences: [owner] }),
  };
  const stringData = { id_rsa: 'key', host: `u-1@${param('HOST')}\n`, 'user-dir': '/home/u-1\n' };
  await client?.ask('POST', `/api/v1/namespaces/${namespace}/secrets`, { metadata, type: 'Opaque', stringData });
  if (uid === undefined) return;
  const own = { name: taskRun.metadata.name, namespace: taskRun.metadata.namespace };
  await client?.ask('POST', `/api/v1/namespaces/${own.namespace}/events`, {
    metadata: { name: `${own.name}.secret` },
    involvedObject: { apiVersion: 'tekton.dev/v1', kind: 'TaskRun', ...own, uid: taskRun.metadata.uid },
    type: 'Normal',
    reason: 'SecretCreated',
    message: 'the Secret of the build is there',
    firstTimestamp: timeNow(),
    lastTimestamp: timeNow(),
    count: 1,
  });
}

async function makeForeign(api: ApiClient, nth: number): Promise<void> {
  const metadata = { name: foreignName(nth), labels: { bench: 'foreign', 'tekton.dev/pipelineTask': 'build' } };
  const body = { apiVersion: 'tekton.dev/v1', kind: 'TaskRun', metadata, spec: foreignSpec(nth) };
  await api.ask('POST', taskRunsOf(foreignNamespace), body);
}

async function updateForeign(api: ApiClient, among: number, perSecond: number, seconds: number): Promise<void> {
  const began = performance.now();
  const sent: Promise<unknown>[] = [];
  for (let nth = 0; nth < perSecond * seconds; nth += 1) {
    await sleep(Math.max(0, began + (nth * 1000) / perSecond - performance.now()));
    const name = foreignName(nth % among);
    const status = foreignUpdate(nth, `${name}-pod`);
    sent.push(api.ask('PATCH', `${taskRunsOf(foreignNamespace)}/${name}/status`, { status }));
  }
  await Promise.all(sent);
}

function timeNow(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
