// Tasks of providers: from the watch to host-config, and what follows.
import { expect } from 'chai';
import type { ConfigProblem } from '../../../controller/config/host-config.ts';
import type { KubeObject } from '../../../controller/kubernetes/cluster.ts';
import { ConfigNews } from '../../../controller/reconcile/config-news.ts';
import { HostConfigState } from '../../../controller/reconcile/host-config-state.ts';
import { keepProviderTask, KnownProviderTasks, type KeptTask } from '../../../controller/reconcile/provider-tasks.ts';
import { operatorNamespace } from '../../support/builders.ts';
import { hostConfigData, start } from '../../support/host-builders.ts';
import { aProviderTask, launchedConfig, toyTasks, type ProviderTaskBuilder } from '../../support/provider-builders.ts';

function raw(task: ProviderTaskBuilder, resourceVersion = '1'): KubeObject {
  const { metadata, spec } = task.manifest();
  return { metadata: { ...metadata, uid: metadata.name, resourceVersion }, spec };
}

function kept(task: ProviderTaskBuilder, resourceVersion?: string): KeptTask {
  const read = keepProviderTask(raw(task, resourceVersion));
  if (read === undefined) throw new Error('not kept');
  return read;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class Stand {
  readonly known = new KnownProviderTasks((error) => expect.fail(String(error)));
  readonly hostConfig = new HostConfigState(operatorNamespace, start);
  /** What people were told, and the platforms that metrics were told of, per change. */
  readonly told: (readonly ConfigProblem[])[] = [];
  readonly platforms: string[] = [];
  readonly logged: string[] = [];
  looks = 0;
  readonly news = new ConfigNews({
    hostConfig: this.hostConfig,
    reporter: { note: (_about, problems) => void this.told.push(problems) },
    metrics: {
      setPlatforms: (exported, local) => void this.platforms.push(`${[...exported].join()} ${[...local].join()}`),
    },
    logger: {
      info: (message, fields) => void this.logged.push(`${message}: ${String(fields?.['resourceVersion'])}`),
      warn: (message) => void this.logged.push(message),
    },
    now: () => start,
    hostsChanged: () => void this.looks++,
  });

  constructor(data: Record<string, string> = launchedConfig()) {
    this.known.onNews((tasks) => this.news.noteProviderTasks(tasks));
    this.configure(data);
  }

  configure(data: Record<string, string> | undefined): void {
    const metadata = { name: 'host-config', namespace: operatorNamespace, uid: 'config', resourceVersion: '1' };
    this.news.noteHostConfig(data && { metadata, data });
  }

  list(...tasks: ProviderTaskBuilder[]): void {
    this.known.cache.replace(
      this.known.cache.relisting(),
      tasks.map((task) => kept(task)),
    );
    this.known.noteComplete();
  }
}

describe('Tasks of providers', () => {
  it('others are not kept, and of these nothing large is', () => {
    expect(keepProviderTask(raw(aProviderTask('provision-shared-host')))).to.equal(undefined);
    expect(JSON.stringify(kept(aProviderTask('launch-toy')))).not.to.contain('script');
  });

  it('once they were listed, host-config is read against them, one time for all of them', async () => {
    const stand = new Stand();
    stand.list(...toyTasks());
    await turn();
    expect(stand.told.map((problems) => problems.length)).to.deep.equal([1, 0]);
    expect(stand.platforms).to.deep.equal([' ', 'linux/arm64 ']);
    expect(stand.looks).to.equal(2);
  });

  it('a list of none is known, too', async () => {
    const stand = new Stand();
    stand.list();
    await turn();
    expect(stand.told.at(-1)?.map(({ message }) => message)).to.deep.equal([
      "'toy': there is no Task launch-toy in the controller's namespace; it has none of any type",
    ]);
  });

  it('before the first complete list nothing is said of them', async () => {
    const stand = new Stand();
    for (const task of toyTasks()) stand.known.cache.applied(kept(task));
    await turn();
    expect(stand.looks).to.equal(1);
  });

  it('one that changes, comes or goes is news', async () => {
    const stand = new Stand();
    const [launch, ...others] = toyTasks();
    stand.list(...others);
    await turn();
    expect(stand.hostConfig.poolOf('linux/arm64').status).to.equal('unusable');
    if (launch === undefined) throw new Error('no toy');
    stand.known.cache.applied(kept(launch));
    await turn();
    expect(stand.hostConfig.poolOf('linux/arm64').status).to.equal('pool');
    stand.known.cache.applied(kept(launch.withParam('SIZE'), '2'));
    await turn();
    expect(stand.told.at(-1)?.map(({ key }) => key)).to.deep.equal(['dynamic.linux-arm64.size']);
    stand.known.cache.deleted(kept(launch, '3'));
    await turn();
    expect(stand.told.at(-1)?.map(({ key }) => key)).to.deep.equal(['dynamic.linux-arm64.type']);
  });

  it('static and local platforms work without them', () => {
    const stand = new Stand({
      ...launchedConfig(),
      ...hostConfigData({ a: 1 }, { 'local-platforms': 'local' }, 'x/y'),
    });
    expect(stand.platforms).to.deep.equal(['x/y local']);
    expect(stand.hostConfig.poolOf('x/y').status).to.equal('pool');
  });

  it('without a host-config there is nobody to tell', async () => {
    const stand = new Stand();
    stand.configure(undefined);
    stand.list(...toyTasks());
    await turn();
    expect(stand.told).to.have.length(1);
    expect(stand.logged).to.deep.equal([
      'host-config was read: 1',
      'host-config is not there: builds that need a host wait for it',
    ]);
    expect(stand.hostConfig.poolOf('linux/arm64').status).to.equal('unusable');
  });
});
