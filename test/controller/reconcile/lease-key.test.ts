import { expect } from 'chai';
import { second } from '../../../controller/model/instant.ts';
import { leaseKeySecret, loadLeaseKey } from '../../../controller/reconcile/lease-key.ts';
import { operatorNamespace } from '../../support/builders.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';

describe('the key of leases', () => {
  it('is made once, and keeps its age: builds from before it are an older controller’s', async () => {
    const clock = new ManualClock();
    const cluster = new MemoryCluster(clock);
    const made = await loadLeaseKey(cluster, operatorNamespace);
    expect(made.created).to.equal(clock.now());
    expect(made.secret.symmetricKeySize).to.equal(32);
    clock.jump(100 * second);
    const again = await loadLeaseKey(cluster, operatorNamespace);
    expect(again.secret.equals(made.secret)).to.equal(true);
    expect(again.created).to.equal(made.created);
  });

  it('is one for two replicas that start at once', async () => {
    const cluster = new MemoryCluster(new ManualClock());
    const [one, two] = await Promise.all([1, 2].map(() => loadLeaseKey(cluster, operatorNamespace)));
    expect(two?.secret.export()).to.deep.equal(one?.secret.export());
  });

  it('that is too short is none, and the remedy is told', async () => {
    const cluster = new MemoryCluster(new ManualClock());
    cluster.put('secrets', operatorNamespace, { metadata: { name: leaseKeySecret }, data: { key: 'c2hvcnQ=' } });
    const failure = await loadLeaseKey(cluster, operatorNamespace).catch((error: unknown) => String(error));
    expect(failure).to.match(/too short; delete the Secret/);
  });
});
