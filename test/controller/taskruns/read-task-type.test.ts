import { expect } from 'chai';
import { aTaskRun, readBuild, type TaskRunBuilder } from '../../support/builders.ts';
import { aHost, start } from '../../support/host-builders.ts';

const labels = (type: string): Record<string, string> => ({ 'build.appstudio.redhat.com/task-type': type });
const typed = (taskRun: TaskRunBuilder, type: string): TaskRunBuilder =>
  taskRun.with(({ metadata }) => (metadata['labels'] = labels(type)));

describe('detection: task types', () => {
  for (const type of ['clean', 'provision', 'update', 'something-else']) {
    it(`of type ${type}: is no build, whoever made it`, () => {
      expect(readBuild({ ...typed(aTaskRun().forPlatform('linux/arm64'), type).raw() })).to.equal(undefined);
    });
  }

  it('an empty type is none', () => {
    expect(readBuild({ ...typed(aTaskRun(), '').raw() })).to.not.equal(undefined);
  });

  it('a build that holds a host stays one, whatever type somebody gives it', () => {
    const held = aTaskRun().forPlatform('linux/arm64').claimed(aHost('h').build(), start);
    expect(readBuild({ ...typed(held, 'clean').raw() })?.facts?.claim?.host).to.equal('h');
  });
});
