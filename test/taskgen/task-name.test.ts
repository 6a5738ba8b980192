// Names of generated Tasks.

import { expect } from 'chai';
import { nameFindings, remoteName } from '../../taskgen/task-name.ts';

describe('the name of the remote Task', () => {
  const cases = [
    { source: 'buildah', name: 'buildah-remote' },
    { source: 'buildah-oci-ta', name: 'buildah-remote-oci-ta' },
    { source: 'buildah-buildah', name: 'buildah-remote-buildah' },
    { source: 'rebuildah', name: 'rebuildah-remote' },
    { source: 'make', name: 'make-remote' },
    { source: 'make', suffix: '-far', name: 'make-far' },
    { source: 'make', chosen: 'other', name: 'other' },
  ];
  for (const { source, chosen, suffix = '-remote', name } of cases) {
    it(`of ${source} is ${name}${chosen === undefined ? '' : ' when asked for'}`, () => {
      expect(remoteName(source, { name: chosen, suffix })).to.equal(name);
    });
  }

  const refused = [
    { source: undefined, name: '-remote', says: 'no metadata.name' },
    { source: 'same', name: 'same', says: 'is the name of the source' },
    { source: 'a', name: 'x'.repeat(64), says: '64 characters' },
    { source: 'a', name: 'Capital', says: 'no DNS name' },
  ];
  for (const { source, name, says } of refused) {
    it(`is refused: ${says}`, () =>
      expect(
        nameFindings(source, name)
          .map(({ message }) => message)
          .join(),
      ).to.include(says));
  }
});
