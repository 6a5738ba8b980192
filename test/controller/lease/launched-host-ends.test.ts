// The end of a build that has a host of its own, and what is found again of one that lost its facts.
import { expect } from 'chai';
import { minute, second } from '../../../controller/model/instant.ts';
import { aCleanupFor, type OwnTaskRunBuilder } from '../../support/builders.ts';
import { start } from '../../support/host-builders.ts';
import { claimed, hostOf, launch, launched, look, told } from './launched-looks.ts';

describe('the end of a build with a host of its own', () => {
  it('while it is launched: the launch is cancelled, and awaited for half a minute', () => {
    const seen = look(claimed().ended(), { children: [launch()] });
    expect(seen).to.deep.equal({
      phase: 'stopping',
      does: ['cancel launch of attempt 1 on a host of its own'],
      lookAgainAt: start + 30 * second,
    });
    expect(look(claimed().ended(), { children: [launch().cancelled()], now: start + 30 * second }).phase).to.equal(
      'releasing',
    );
  });

  it('its host is terminated by the facts, host-config gone or not', () => {
    expect(look(launched().ready().ended(), { pool: undefined })).to.deep.include({
      phase: 'releasing',
      does: [
        'create terminate 1 of attempt 1 on a host of its own',
        'delete Secret team-a/multi-platform-ssh-build',
        `event Normal Released: host ${hostOf(launched())} is released`,
        'patch: attempt 1, finalizer away, assigned-host away',
      ],
    });
  });

  it('terminate failed: again, after a pause', () => {
    const build = launched().ready();
    const over = build.build();
    const children = [aCleanupFor(over).ended('failed')];
    const seen = look(launched().ready().ended().released(), { children, now: start + 10 * second });
    expect(seen.does[0]).to.equal('create terminate 2 of attempt 1 on a host of its own');
    expect(seen.does[1]).to.match(/^event Warning TerminateFailed/);
  });

  it('terminate succeeded: its TaskRun goes', () => {
    const children = [aCleanupFor(launched().build()).ended('succeeded')];
    expect(look(launched().ended().released(), { children }).does).to.deep.include.members([
      'drop the finalizer of terminate 1 of attempt 1 on a host of its own',
      'delete terminate 1 of attempt 1 on a host of its own',
    ]);
  });

  it('its host was lost before: the build is told what it died of', () => {
    const message = 'pod mp-1 was evicted: the node was low on memory';
    const children = [aCleanupFor(launched().build()).ended('succeeded', start, { LOST: message })];
    expect(look(launched().ended('failed').released(), { children }).does[0]).to.equal(
      `event Warning HostLost: ${message}`,
    );
    expect(look(undefined, { children }).does.join()).to.not.include('HostLost');
  });

  it('its launch ended only after the host was terminated: terminated once more', () => {
    const over = claimed().ended().released();
    const done = aCleanupFor(claimed().build()).ended('succeeded', start + 40 * second);
    const children = (ending: OwnTaskRunBuilder): OwnTaskRunBuilder[] => [ending.cancelled(), done];
    expect(look(over, { children: children(launch()) }).does).to.deep.equal([]);
    const late = children(launch().ended('succeeded', start + 50 * second));
    expect(look(over, { children: late, now: start + minute }).does).to.include(
      'create terminate 2 of attempt 1 on a host of its own',
    );
  });

  it('the build is gone, and nobody released it: its launch TaskRun tells what to terminate', () => {
    const children = [launch().ended('succeeded', start, told)];
    expect(look(undefined, { children }).does).to.deep.equal([
      'create terminate 1 of attempt 1 on a host of its own',
      'delete launch of attempt 1 on a host of its own',
    ]);
  });
});

describe('facts of a launched host that got lost', () => {
  it('are found on its launch TaskRun', () => {
    const stripped = claimed().with(({ metadata }) => (metadata['annotations'] = {}));
    const seen = look(stripped, { children: [launch().ended('succeeded', start, told)], anew: true });
    expect(seen).to.deep.include({ phase: 'unsigned', does: ['patch: attempt 1 on a host of its own'] });
  });
});
