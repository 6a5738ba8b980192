import { expect } from 'chai';
import * as fc from 'fast-check';
import type { UserTaskRunChange } from '../../../controller/model/action.ts';
import type { UserTaskRun } from '../../../controller/model/task-run.ts';
import { userTaskRunPatch } from '../../../controller/taskruns/user-task-run-patch.ts';
import { aTaskRun, readBuild } from '../../support/builders.ts';
import { applyJsonPatch, PatchRefused } from '../../support/json-patch.ts';

const prefix = 'build.appstudio.redhat.com';
const finalizer = 'appstudio.io/multi-platform-finalizer';
const lease = '/metadata/annotations/build.appstudio.redhat.com~1host-lease';
const sameTaskRun = { op: 'test', path: '/metadata/uid', value: 'uid-of-build' };

/** The operations after the test of the uid, which every patch begins with. */
function operations(taskRun: UserTaskRun, change: UserTaskRunChange, signed?: string | null): unknown[] {
  const [first, ...rest] = userTaskRunPatch(taskRun, change, signed);
  expect(first).to.deep.equal(sameTaskRun);
  return rest;
}

const bare = aTaskRun().build();
const annotated = aTaskRun()
  .with(({ metadata }) => Object.assign(metadata, { annotations: { x: 'y' }, labels: { x: 'y' } }))
  .build();
const waiting = aTaskRun()
  .with(({ metadata }) => {
    metadata['annotations'] = { [`${prefix}/wait-reason`]: 'busy', [`${prefix}/host-lease`]: 'old' };
    metadata['labels'] = { [`${prefix}/waiting-for-platform`]: 'linux-arm64' };
    metadata['finalizers'] = ['others', finalizer];
  })
  .build();

describe('a change of a user TaskRun as a JSON Patch', () => {
  const cases: readonly (readonly [string, UserTaskRun, UserTaskRunChange, string | null | undefined, unknown[]])[] = [
    ['nothing to change', bare, {}, undefined, []],
    [
      'facts on a TaskRun without annotations: the map is made, if nobody did meanwhile',
      bare,
      {},
      'signed',
      [
        { op: 'test', path: '/metadata/annotations', value: null },
        { op: 'add', path: '/metadata/annotations', value: {} },
        { op: 'add', path: lease, value: 'signed' },
      ],
    ],
    [
      'first facts beside annotations of others',
      annotated,
      {},
      'signed',
      [
        { op: 'test', path: lease, value: null },
        { op: 'add', path: lease, value: 'signed' },
      ],
    ],
    [
      'facts instead of a forgery that is too long to be kept, and so to be tested for',
      aTaskRun()
        .with(({ metadata }) => (metadata['annotations'] = { [`${prefix}/host-lease`]: 'x'.repeat(250_000) }))
        .build(),
      {},
      'signed',
      [{ op: 'add', path: lease, value: 'signed' }],
    ],
    [
      'facts instead of older ones',
      waiting,
      {},
      'signed',
      [
        { op: 'test', path: lease, value: 'old' },
        { op: 'add', path: lease, value: 'signed' },
      ],
    ],
    [
      'facts away',
      waiting,
      {},
      null,
      [
        { op: 'test', path: lease, value: 'old' },
        { op: 'remove', path: lease },
      ],
    ],
    [
      'our finalizer, the first',
      bare,
      { finalizer: 'add' },
      undefined,
      [
        { op: 'test', path: '/metadata/finalizers', value: null },
        { op: 'add', path: '/metadata/finalizers', value: [finalizer] },
      ],
    ],
    ['our finalizer, there already', waiting, { finalizer: 'add' }, undefined, []],
    [
      'our finalizer away, that of others stays',
      waiting,
      { finalizer: 'remove' },
      undefined,
      [
        { op: 'test', path: '/metadata/finalizers', value: ['others', finalizer] },
        { op: 'add', path: '/metadata/finalizers', value: ['others'] },
      ],
    ],
    ['our finalizer away where it is not', bare, { finalizer: 'remove' }, undefined, []],
    [
      'labels: one new, one away, one not there',
      waiting,
      {
        labels: {
          [`${prefix}/target-platform`]: 'linux-arm64',
          [`${prefix}/waiting-for-platform`]: null,
          [`${prefix}/assigned-host`]: null,
        },
      },
      undefined,
      [
        { op: 'add', path: '/metadata/labels/build.appstudio.redhat.com~1target-platform', value: 'linux-arm64' },
        { op: 'remove', path: '/metadata/labels/build.appstudio.redhat.com~1waiting-for-platform' },
      ],
    ],
    ['a value that is there already', waiting, { annotations: { [`${prefix}/wait-reason`]: 'busy' } }, undefined, []],
  ];
  for (const [sentence, taskRun, change, signed, expected] of cases) {
    it(sentence, () => expect(operations(taskRun, change, signed)).to.deep.equal(expected));
  }

  it('the last finalizer goes with its list', () => {
    const taskRun = aTaskRun()
      .with(({ metadata }) => (metadata['finalizers'] = [finalizer]))
      .build();
    expect(operations(taskRun, { finalizer: 'remove' })).to.deep.equal([
      { op: 'test', path: '/metadata/finalizers', value: [finalizer] },
      { op: 'remove', path: '/metadata/finalizers' },
    ]);
  });

  it('the resourceVersion is never tested: others write all the time', () => {
    const paths = userTaskRunPatch(waiting, { finalizer: 'remove', labels: { a: 'b' } }, 'x').map(({ path }) => path);
    expect(paths.some((path) => path.includes('resourceVersion'))).to.equal(false);
  });

  it('a key with ~ and / is escaped', () => {
    expect(operations(annotated, { annotations: { 'a~b/c': 'd' } })).to.deep.equal([
      { op: 'add', path: '/metadata/annotations/a~0b~1c', value: 'd' },
    ]);
  });
});

describe('such a patch, applied', () => {
  const maybe = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
    fc.option(value, { nil: undefined });
  const metadata = fc.record(
    {
      finalizers: fc.constantFrom([finalizer], ['others'], ['others', finalizer]),
      annotations: fc.dictionary(
        fc.constantFrom(`${prefix}/host-lease`, `${prefix}/wait-reason`, `${prefix}/failed-hosts`, 'x'),
        fc.constantFrom('a', 'b', 'a,b'),
      ),
      labels: fc.dictionary(
        fc.constantFrom(`${prefix}/assigned-host`, `${prefix}/waiting-for-platform`, 'x'),
        fc.constantFrom('a', 'b'),
      ),
    },
    { requiredKeys: [] },
  );
  const change = fc.record({
    finalizer: maybe(fc.constantFrom('add', 'remove')),
    annotation: maybe(fc.constantFrom('a', 'c', null)),
    failedHosts: maybe(fc.constantFrom('a', 'a,b,c')),
    label: maybe(fc.constantFrom('a', 'c', null)),
    facts: maybe(fc.constantFrom('a', 'c', null)),
  });

  it('ends as wanted on the TaskRun it was made for', () => {
    fc.assert(
      fc.property(metadata, change, (given, wanted) => {
        const raw = aTaskRun()
          .with((it) => Object.assign(it.metadata, structuredClone(given)))
          .raw();
        const kept = readBuild({ ...raw });
        if (kept === undefined) throw new Error('not a build');
        const annotations = {
          ...(wanted.annotation === undefined ? {} : { [`${prefix}/wait-reason`]: wanted.annotation }),
          ...(wanted.failedHosts === undefined ? {} : { [`${prefix}/failed-hosts`]: wanted.failedHosts }),
        };
        const labels = wanted.label === undefined ? {} : { [`${prefix}/assigned-host`]: wanted.label };
        const asked = { annotations, labels, ...(wanted.finalizer ? { finalizer: wanted.finalizer } : {}) };
        applyJsonPatch(raw, userTaskRunPatch(kept, asked, wanted.facts));
        const after = readBuild({ ...raw });
        const expected = <Value>(value: Value | null | undefined, before: Value): Value | undefined =>
          value === undefined ? before : (value ?? undefined);
        expect(after?.hasFinalizer).to.equal(wanted.finalizer ? wanted.finalizer === 'add' : kept.hasFinalizer);
        expect(after?.signedFacts).to.equal(expected(wanted.facts, kept.signedFacts));
        expect(after?.waitReason).to.equal(expected(wanted.annotation, kept.waitReason));
        expect(after?.assignedHost).to.equal(expected(wanted.label, kept.assignedHost));
        expect(after?.failedHosts.join(',')).to.equal(expected(wanted.failedHosts, kept.failedHosts.join(',')));
        expect(after?.finalizers.includes('others')).to.equal(kept.finalizers.includes('others'));
      }),
      { numRuns: 300 },
    );
  });

  const races: readonly (readonly [string, (raw: { metadata: Record<string, unknown> }) => void])[] = [
    ['another TaskRun of that name', (raw) => (raw.metadata['uid'] = 'other')],
    ['facts that changed meanwhile', (raw) => (raw.metadata['annotations'] = { [`${prefix}/host-lease`]: 'newer' })],
    ['a finalizer that came meanwhile', (raw) => (raw.metadata['finalizers'] = ['others', finalizer, 'new'])],
  ];
  for (const [what, happen] of races) {
    it(`is refused by ${what}`, () => {
      const raw = aTaskRun()
        .with((it) =>
          Object.assign(it.metadata, {
            annotations: { [`${prefix}/host-lease`]: 'old' },
            finalizers: ['others', finalizer],
          }),
        )
        .raw();
      const kept = readBuild({ ...raw });
      if (kept === undefined) throw new Error('not a build');
      const patch = userTaskRunPatch(kept, { finalizer: 'remove' }, 'new');
      happen(raw);
      expect(() => applyJsonPatch(raw, patch)).to.throw(PatchRefused);
    });
  }
});
