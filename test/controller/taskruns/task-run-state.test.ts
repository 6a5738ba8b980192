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
});
