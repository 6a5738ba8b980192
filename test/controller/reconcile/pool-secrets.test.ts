// Which Secret keeps hosts from being launched, and what builds hear about it.
import { expect } from 'chai';
import type { MissingSecret } from '../../../controller/allocation/pool-snapshot.ts';
import { missingSecretOf } from '../../../controller/reconcile/pool-secrets.ts';
import { aPool } from '../../support/pool-builders.ts';
import { aProviderTask } from '../../support/provider-builders.ts';

const launch = (workspace: string) =>
  aProviderTask('launch-toy').withCredentials('account').withWorkspace(workspace, true).build();

function missing(there: readonly string[], workspace = 'credentials', credentials = 'toy-account') {
  const pool = aPool({ credentials });
  const asked: string[] = [];
  const found = missingSecretOf(
    { ...pool, provider: { ...pool.provider, launch: launch(workspace) } },
    { hasSshSecret: (name) => there.includes(name), missingSince: (name) => (asked.push(name), asked.length) },
  );
  return { found, asked };
}

describe('Secrets that a launched platform needs', () => {
  const rows: readonly [string, MissingSecret | undefined, string | undefined][] = [
    ['all there: none is missing', missing(['ssh-key', 'toy-account']).found, undefined],
    ['no ssh Secret', missing(['toy-account']).found, 'SshSecretMissing'],
    ['no credentials', missing(['ssh-key']).found, 'CredentialsMissing'],
    ['none at all: the ssh Secret first', missing([]).found, 'SshSecretMissing'],
    ['credentials that no Task mounts are not looked for', missing(['ssh-key'], 'other').found, undefined],
    ['credentials that host-config does not name neither', missing(['ssh-key'], 'credentials', '').found, undefined],
  ];
  for (const [what, found, reason] of rows) it(what, () => expect(found?.told.reason).to.equal(reason));

  it('is told with the key, its value, and what to do', () => {
    expect(missing(['ssh-key']).found).to.deep.equal({
      since: 2,
      told: {
        reason: 'CredentialsMissing',
        message:
          'Error allocating host: dynamic.linux-arm64.account in host-config is toy-account, and the operator namespace has no such ' +
          'Secret: ask an administrator to create it there with the label build.appstudio.redhat.com/multi-platform-secret, or to correct that key',
      },
    });
  });

  it('are all asked for at every look: what comes and goes has its grace anew', () => {
    expect(missing(['toy-account']).asked).to.deep.equal(['ssh-key', 'toy-account']);
  });
});
