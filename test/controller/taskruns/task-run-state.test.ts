import { expect } from 'chai';
import { aTaskRun } from '../../support/builders.ts';
import { start } from '../../support/host-builders.ts';

describe('a TaskRun that is over', () => {
  it('completed, and nobody said how: it failed', () => {
    const completionTime = new Date(start + 5000).toISOString();
    const conditions = [{ type: 'Succeeded', status: 'Unknown' }];
    const taskRun = aTaskRun().with(({ status }) => Object.assign(status, { completionTime, conditions }));
    expect(taskRun.build()).to.include({ outcome: 'failed', ended: start + 5000 });
  });

  it('without a time of its own: it ended when the API server was told', () => {
    const conditions = [{ type: 'Succeeded', status: 'False' }];
    const times = [9000, 5000].map((after) => new Date(start + after).toISOString());
    const managedFields = [
      { subresource: 'status', time: times[1] },
      { operation: 'Update', time: times[0] },
    ];
    const taskRun = aTaskRun().with(({ metadata, status }) => {
      Object.assign(metadata, { managedFields });
      Object.assign(status, { conditions });
    });
    expect(taskRun.build()).to.include({ outcome: 'failed', ended: start + 5000 });
  });
});
