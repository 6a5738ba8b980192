// When a provision TaskRun says that the Secret is there: while it runs and when it has succeeded. Checked, never believed.
import { expect } from 'chai';
import { nextActions } from '../../../controller/lease/next-actions.ts';
import { aProvisionFor, aTaskRun, type OwnTaskRunBuilder, type TaskRunBuilder } from '../../support/builders.ts';
import { aHost, start } from '../../support/host-builders.ts';
import { sentencesOf } from './action-sentences.ts';
import { observe } from './observed-builds.ts';

const claimed = (): TaskRunBuilder => aTaskRun().forPlatform('linux/arm64').claimed(aHost('h')).withPod('p');

function whenReported(builder: TaskRunBuilder, provision: OwnTaskRunBuilder | undefined): string[] {
  const children = provision === undefined ? [] : [provision.build()];
  const reported = new Set(['another', ...children.map(({ uid }) => uid)]);
  return sentencesOf(nextActions(observe(builder.build(), children, { reported }), start).actions);
}

describe('a provision TaskRun that reports before it ends', () => {
  it('makes the build ready when the Secret is there, and is left to end', () => {
    const does = whenReported(claimed(), aProvisionFor(claimed().build()));
    expect(does[0]).to.equal('check Secret');
    expect(does.join()).to.contain('HostReady').and.not.to.contain('missing:').and.not.to.contain('delete');
  });

  it('is not heard while it is being deleted, or for another attempt', () => {
    const provision = aProvisionFor(claimed().build());
    expect(whenReported(claimed(), undefined).join()).not.to.contain('check Secret');
    expect(whenReported(claimed().ready(), provision).join()).not.to.contain('check Secret');
  });
});

describe('a provision TaskRun that succeeds without making the Secret', () => {
  for (const [platform, task] of [
    ['linux/arm64', 'provision-shared-host'],
    ['macos/arm64', 'provision-host-macos'],
    ['windows/amd64', 'provision-host-windows'],
  ] as const)
    it(`ends the build of ${platform} with the name of its Task`, () => {
      const build = aTaskRun().forPlatform(platform).claimed(aHost('h').forPlatform(platform));
      const does = whenReported(build, aProvisionFor(build.build()).ended('succeeded', start));
      expect(does.at(-1)).to.match(new RegExp(`look at Task ${task}$`));
    });
});
