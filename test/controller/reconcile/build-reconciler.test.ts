// Builds as the controller's shell follows them: with pods to tell, TaskRuns torn away, and old names that come back.
import { expect } from 'chai';
import { second } from '../../../controller/model/instant.ts';
import { asArray } from '../../../controller/model/json.ts';
import { userTaskRunFinalizer } from '../../../controller/model/labels.ts';
import type { OwnTaskRun } from '../../../controller/model/task-run.ts';
import { endedStatus, operatorNamespace, readOwn } from '../../support/builders.ts';
import { hostConfigData } from '../../support/host-builders.ts';
import { apiError } from '../../support/memory-cluster.ts';
import { ControllerStand } from './controller-stand.ts';

const podKey = 'build.appstudio.redhat.com/assigned-host';

class Site extends ControllerStand {
  ours(type: string, build: string): OwnTaskRun[] {
    const own = this.cluster.all('taskruns').flatMap((raw) => readOwn(raw) ?? []);
    return own.filter((it) => it.type === type && it.userName === build);
  }

  async endOwn(type: string, build: string, ending: 'succeeded' | 'failed'): Promise<void> {
    for (const { name, outcome } of this.ours(type, build))
      if (outcome === 'running')
        this.cluster.change('taskruns', operatorNamespace, name, (it) =>
          Object.assign(it, { status: endedStatus(ending, this.clock.now()) }),
        );
    await this.clock.advance(second);
  }

  /** As the provision Task makes it. */
  putSecret(build: string, uid: string): void {
    const ownerReferences = [{ apiVersion: 'tekton.dev/v1', kind: 'TaskRun', name: build, uid }];
    this.cluster.put('secrets', 'team-a', { metadata: { name: `multi-platform-ssh-${build}`, ownerReferences } });
  }

  /** A build with a host that is ready. */
  async readyBuild(name: string): Promise<string> {
    this.cluster.put('pods', 'team-a', { metadata: { name: `${name}-pod` } });
    const uid = this.create(name);
    await this.clock.advance(second);
    this.putSecret(name, uid);
    await this.endOwn('provision', name, 'succeeded');
    return uid;
  }

  async tearOut(name: string): Promise<void> {
    this.cluster.change('taskruns', 'team-a', name, ({ metadata }) => {
      const left = asArray(metadata['finalizers']).filter((it) => it !== userTaskRunFinalizer);
      metadata['finalizers'] = left;
    });
    this.cluster.remove('taskruns', 'team-a', name);
    await this.clock.advance(second);
  }

  podOf(name: string): string | undefined {
    return this.cluster.find('pods', 'team-a', `${name}-pod`)?.metadata.annotations?.[podKey];
  }
}

function site(hosts: Readonly<Record<string, number>> = { one: 1 }): Site {
  const made = new Site(hostConfigData(hosts));
  made.controller.start();
  return made;
}

describe('the life of a build', () => {
  it('from arrival to the last trace', async () => {
    const at = site();
    await at.readyBuild('a');
    expect(at.build('a').facts).to.include({ ready: true, attempt: 1 });
    expect(at.podOf('a')).to.equal('one');
    expect(at.ours('provision', 'a')).to.deep.equal([]);
    at.end('a');
    await at.clock.advance(second);
    expect(at.build('a').hasFinalizer).to.equal(false);
    expect(at.cluster.find('secrets', 'team-a', 'multi-platform-ssh-a')).to.equal(undefined);
    await at.endOwn('clean', 'a', 'succeeded');
    expect(at.ours('clean', 'a')).to.deep.equal([]);
    expect(await at.stop()).to.equal(0);
  });

  it('needs few requests: one read-free way from arrival to release', async () => {
    const at = site();
    await at.readyBuild('a');
    at.end('a');
    await at.clock.advance(second);
    await at.endOwn('clean', 'a', 'succeeded');
    const asked = at.cluster.requests.filter(({ resource }) => resource !== 'events').map((it) => it.verb);
    expect(asked.filter((verb) => verb === 'read')).to.deep.equal([]);
    expect(asked.length).to.be.at.most(12);
    await at.stop();
  });

  it('the pod is told although the first try failed, and although it was told its place in the queue before', async () => {
    const at = site();
    at.create('a');
    await at.clock.advance(second);
    at.cluster.put('pods', 'team-a', { metadata: { name: 'b-pod' } });
    const uid = at.create('b');
    await at.clock.advance(5 * second);
    at.end('a');
    await at.clock.advance(second);
    at.putSecret('b', uid);
    let failures = 0;
    at.cluster.fault = ({ resource }) => {
      if (resource !== 'pods' || failures > 0) return undefined;
      failures += 1;
      return { before: apiError('unavailable', 'away') };
    };
    await at.endOwn('provision', 'b', 'succeeded');
    await at.clock.advance(10 * second);
    expect(failures).to.equal(1);
    expect(at.podOf('b')).to.equal('one');
    // The sweep finds what the cut-off look left.
    await at.clock.advance(60 * second);
    expect(at.ours('provision', 'b')).to.deep.equal([]);
    await at.stop();
  });
});

describe('a build somebody tore away, finalizer and all', () => {
  it('gives its host back from what was last seen of it', async () => {
    const at = site();
    await at.readyBuild('a');
    await at.tearOut('a');
    expect(at.ours('clean', 'a')).to.have.length(1);
    await at.endOwn('clean', 'a', 'succeeded');
    expect(at.ours('clean', 'a')).to.deep.equal([]);
    expect(await at.stop()).to.equal(0);
  });

  it('while its host was being prepared: that is cancelled, and cleaned up once', async () => {
    const at = site();
    at.create('a');
    await at.clock.advance(second);
    await at.tearOut('a');
    expect(at.ours('provision', 'a').map(({ cancelled }) => cancelled)).to.deep.equal([true]);
    await at.endOwn('provision', 'a', 'failed');
    await at.clock.advance(60 * second);
    expect(at.ours('clean', 'a')).to.have.length(1);
    expect(at.ours('provision', 'a')).to.deep.equal([]);
    await at.stop();
  });

  it('cleaned up by the replica that acted: the next one has nothing to do', async () => {
    const at = site();
    await at.readyBuild('a');
    const standby = at.addStandby();
    await at.tearOut('a');
    await at.endOwn('clean', 'a', 'succeeded');
    await at.stop();
    at.controller = standby;
    standby.start();
    await at.clock.advance(60 * second);
    const cleanups = at.cluster.requests.filter(({ verb, name }) => verb === 'create' && name.startsWith('a-cleanup-'));
    expect(cleanups).to.have.length(1);
    await at.stop();
  });
});

describe('a build of a name that was there before', () => {
  it('keeps its Secret when the cleanup of the old one ends late', async () => {
    const at = site({ one: 1, two: 1 });
    at.create('a');
    await at.clock.advance(second);
    at.cluster.remove('taskruns', 'team-a', 'a');
    await at.clock.advance(second);
    await at.endOwn('provision', 'a', 'failed');
    expect(at.cluster.find('taskruns', 'team-a', 'a')).to.equal(undefined);
    await at.readyBuild('a');
    expect(at.build('a').facts?.ready).to.equal(true);
    await at.endOwn('clean', 'a', 'succeeded');
    expect(at.cluster.find('secrets', 'team-a', 'multi-platform-ssh-a')).to.not.equal(undefined);
    await at.stop();
  });

  it('in another namespace at the same time: nothing of theirs meets', async () => {
    const at = site({ one: 2 });
    at.create('a', 'linux/arm64', 'team-a');
    at.create('a', 'linux/arm64', 'team-b');
    await at.clock.advance(second);
    const names = at.ours('provision', 'a').map(({ name }) => name);
    expect(new Set(names).size).to.equal(2);
    await at.stop();
  });
});
