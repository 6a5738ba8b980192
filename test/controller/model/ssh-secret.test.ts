import { expect } from 'chai';
import { secretNameFor } from '../../../controller/model/labels.ts';
import { errorSecretData, localSecretData } from '../../../controller/model/ssh-secret.ts';

describe('Secrets of builds', () => {
  it('are named after the TaskRun', () => expect(secretNameFor('build-1')).to.equal('multi-platform-ssh-build-1'));

  it('say localhost, without a line feed, for a build that runs in its own pod', () => {
    expect(localSecretData).to.deep.equal({ host: 'localhost' });
  });

  it('say why there is no host, with the platform, and name no source file', () => {
    expect(errorSecretData('no host', 'linux/arm64')).to.deep.equal({
      error: 'no host\n\nContext info:\n  Platform: linux/arm64\n\n',
    });
  });

  it('say [UNKNOWN] where the build names no platform', () => {
    expect(errorSecretData('no host', undefined)['error']).to.include('Platform: [UNKNOWN]');
  });
});
