// Whatever stands in a TaskRun, reading it never throws: one odd object must not stop the watch.
import { expect } from 'chai';
import * as fc from 'fast-check';
import { asObject } from '../../../controller/model/json.ts';
import { readBuild, readOwn } from '../../support/builders.ts';

const prefix = 'build.appstudio.redhat.com';

describe('malformed TaskRuns', () => {
  const json = fc.jsonValue({ maxDepth: 4 });
  const mounting = { volumes: [{ secret: { secretName: 'multi-platform-ssh-x' } }] };
  const anything = fc.record(
    {
      metadata: fc.oneof(json, fc.record({ labels: json, annotations: json, finalizers: json, uid: json })),
      spec: fc.oneof(json, fc.record({ params: json, status: json })),
      status: fc.oneof(
        json,
        fc.record({ conditions: json, retriesStatus: json, podName: json, results: json }),
        fc.record({ params: json }).map((more) => ({ taskSpec: { ...mounting, ...more } })),
      ),
    },
    { requiredKeys: [] },
  );

  it('never throw, and what is kept has the types it should have', () => {
    fc.assert(
      fc.property(anything, (raw) => {
        const kept = readBuild(raw);
        if (kept === undefined) return;
        for (const text of [kept.uid, kept.name, kept.namespace, kept.podName]) expect(text).to.be.a('string');
        expect(kept.created).to.be.a('number');
        expect(kept.platform === undefined || typeof kept.platform === 'string').to.equal(true);
      }),
      { numRuns: 500 },
    );
  });

  it('of ours do not throw either', () => {
    fc.assert(
      fc.property(anything, json, (raw, value) => {
        const labels = { [`${prefix}/task-type`]: 'provision', [`${prefix}/attempt`]: value };
        const annotations = { [`${prefix}/host-lease`]: value };
        const kept = readOwn({ ...raw, metadata: { ...asObject(raw.metadata), labels, annotations } });
        expect(kept?.type).to.equal('provision');
      }),
      { numRuns: 300 },
    );
  });
});
