import { expect } from 'chai';
import { Cache } from '../../../controller/kubernetes/cache.ts';
import { hour } from '../../../controller/model/instant.ts';
import { labels, ownTaskRunFinalizer } from '../../../controller/model/labels.ts';
import { OrphanSweep, readOwnedSecret, type OwnedSecret } from '../../../controller/reconcile/orphan-sweep.ts';
import { aProvisionFor, aTaskRun, endedStatus, operatorNamespace } from '../../support/builders.ts';
import { apiError } from '../../support/memory-cluster.ts';
import { MemoryStand } from '../../support/memory-stand.ts';

class SweepStand extends MemoryStand {
  readonly removed: string[] = [];
  readonly sweep: OrphanSweep;

  constructor() {
    super();
    const ownedSecrets = new Cache<OwnedSecret>({ index: {}, onListenerError: (error) => this.noteError(error) });
    this.cluster.watch('secrets', ({ type, object }) =>
      ownedSecrets[type === 'DELETED' ? 'deleted' : 'applied'](readOwnedSecret(object)),
    );
    this.sweep = new OrphanSweep({
      taskRuns: this.taskRuns,
      ownedSecrets,
      perform: this.perform,
      clock: this.clock,
      keep: hour,
      onRemoved: (kind, name) => void this.removed.push(`${kind} ${name}`),
      onError: (name, error) => void this.errors.push(`${name}: ${String(error)}`),
    });
  }

  /** A TaskRun of ours that ended long ago and names no build. */
  putLeft(name: string, finalizers: readonly string[] = []): void {
    const metadata = { name, finalizers, labels: { [labels.taskType]: 'clean' } };
    const status = endedStatus('failed', this.clock.now() - 2 * hour);
    this.cluster.put('taskruns', operatorNamespace, { metadata, status });
  }

  putSecret(name: string, buildUid: string): void {
    const metadata = { name, labels: buildUid === '' ? {} : { [labels.userTaskUid]: buildUid } };
    this.cluster.put('secrets', operatorNamespace, { metadata });
  }

  left(): string[] {
    return [...this.cluster.all('taskruns'), ...this.cluster.all('secrets')].map(({ metadata }) => metadata.name);
  }
}

describe('OrphanSweep', () => {
  it('removes what was an orphan in two sweeps, and counts it once', async () => {
    const stand = new SweepStand();
    stand.putLeft('old');
    await stand.sweep.sweep();
    expect(stand.left()).to.deep.equal(['old']);
    stand.putLeft('newer');
    await stand.sweep.sweep();
    expect(stand.left()).to.deep.equal(['newer']);
    await stand.sweep.sweep();
    await stand.sweep.sweep();
    expect(stand.removed).to.deep.equal(['task-run old', 'task-run newer']);
    expect([stand.left(), stand.errors]).to.deep.equal([[], []]);
  });

  it('takes off our finalizer, so that it really goes', async () => {
    const stand = new SweepStand();
    stand.putLeft('held', [ownTaskRunFinalizer]);
    stand.putLeft('going', [ownTaskRunFinalizer]);
    stand.cluster.remove('taskruns', operatorNamespace, 'going');
    await stand.sweep.sweep();
    await stand.sweep.sweep();
    expect(stand.left()).to.deep.equal([]);
  });

  it('asks the API nothing when there is nothing', async () => {
    const stand = new SweepStand();
    const { metadata, spec, status } = aTaskRun().forPlatform('linux/arm64').raw();
    stand.cluster.put('taskruns', 'team-a', { metadata: { ...metadata, name: 'build' }, spec, status });
    await stand.sweep.sweep();
    await stand.sweep.sweep();
    expect(stand.cluster.requests).to.deep.equal([]);
  });

  it('removes a Secret when its build is gone, and leaves those that name none', async () => {
    const stand = new SweepStand();
    const { metadata, spec, status } = aTaskRun().forPlatform('linux/arm64').raw();
    const build = stand.cluster.put('taskruns', 'team-a', { metadata: { ...metadata, name: 'build' }, spec, status });
    stand.putSecret('of-build', build.metadata.uid);
    stand.putSecret('of-nobody', '');
    await stand.sweep.sweep();
    await stand.sweep.sweep();
    stand.cluster.remove('taskruns', 'team-a', 'build');
    await stand.sweep.sweep();
    expect(stand.left()).to.deep.equal(['of-build', 'of-nobody']);
    await stand.sweep.sweep();
    expect(stand.left()).to.deep.equal(['of-nobody']);
    expect(stand.removed).to.deep.equal(['secret of-build']);
  });

  it('removes a Secret when its build has ended and given back what it had, and not before', async () => {
    const stand = new SweepStand();
    const held = aTaskRun().forPlatform('linux/arm64').claimed().ended();
    const { metadata, spec, status } = held.raw();
    const build = stand.cluster.put('taskruns', 'team-a', { metadata: { ...metadata, name: 'build' }, spec, status });
    stand.putSecret('of-build', build.metadata.uid);
    for (let sweeps = 0; sweeps < 3; sweeps += 1) await stand.sweep.sweep();
    expect(stand.left()).to.deep.equal(['build', 'of-build']);
    stand.cluster.change('taskruns', 'team-a', 'build', (taskRun) => {
      Object.assign(taskRun.metadata, { finalizers: [] });
    });
    for (let sweeps = 0; sweeps < 2; sweeps += 1) await stand.sweep.sweep();
    expect(stand.left()).to.deep.equal(['build']);
  });

  it('leaves the Secret alone while a provision TaskRun of that build still runs', async () => {
    const stand = new SweepStand();
    const build = aTaskRun().forPlatform('linux/arm64').claimed().build();
    const provision = aProvisionFor(build).raw();
    const name = String(provision.metadata['name']);
    stand.cluster.put('taskruns', operatorNamespace, { ...provision, metadata: { ...provision.metadata, name } });
    stand.putSecret('of-build', build.uid);
    for (let sweeps = 0; sweeps < 3; sweeps += 1) await stand.sweep.sweep();
    expect(stand.left()).to.deep.equal([name, 'of-build']);
    stand.cluster.remove('taskruns', operatorNamespace, name);
    for (let sweeps = 0; sweeps < 2; sweeps += 1) await stand.sweep.sweep();
    expect(stand.left()).to.deep.equal([]);
  });

  it('one that cannot be removed stops no other, and is tried again', async () => {
    const stand = new SweepStand();
    stand.putLeft('stubborn');
    stand.putLeft('easy');
    stand.cluster.fault = ({ name }) => (name === 'stubborn' ? { before: apiError('unavailable', 'away') } : undefined);
    await stand.sweep.sweep();
    await stand.sweep.sweep();
    expect(stand.left()).to.deep.equal(['stubborn']);
    expect(stand.errors).to.have.length(1);
    stand.cluster.fault = () => undefined;
    await stand.sweep.sweep();
    expect(stand.left()).to.deep.equal([]);
    expect(stand.removed).to.deep.equal(['task-run easy', 'task-run stubborn']);
  });
});
