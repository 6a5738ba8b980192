// Tekton itself takes everything that the generator makes: its admission webhook validates more than the definitions of its resources say.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import { shared } from './shared-cluster.ts';

const root = join(import.meta.dirname, '../..');
const goldens = 'test/taskgen/golden';
const files = [
  'tasks/generated/buildah-remote.yaml',
  ...readdirSync(join(root, goldens))
    .map((name) => `${goldens}/${name}/expected.yaml`)
    .filter((file) => existsSync(join(root, file))),
];

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: object;
  readonly spec: object;
}

/** Without what some goldens have beside these, for their anchors. */
function tasksOf(file: string): Manifest[] {
  const documents = parseAllDocuments(readFileSync(join(root, file), 'utf8'), { version: '1.1', merge: true });
  return documents
    .map((document): Manifest => document.toJS())
    .filter(({ kind }) => kind === 'Task')
    .map(({ apiVersion, kind, metadata, spec }) => ({ apiVersion, kind, metadata, spec }));
}

const create = ['create', '--dry-run=server', '--validate=strict', '-n', 'default', '-f', '-'];

describe("Tekton's own validation", function () {
  this.timeout(60_000);

  for (const file of files) {
    it(`takes ${file}`, async () => {
      const tasks = tasksOf(file);
      expect(tasks).not.to.deep.equal([]);
      for (const task of tasks) {
        expect(await shared().cluster.kubectl.run(create, JSON.stringify(task))).to.include('created (server dry run)');
      }
    });
  }

  it('refuses a script that uses a parameter nobody declared, so that the tests above mean something', async () => {
    const steps = [{ name: 'build', image: 'alpine', script: 'echo $(params.missing)' }];
    const task = { apiVersion: 'tekton.dev/v1', kind: 'Task', metadata: { name: 'odd' }, spec: { steps } };
    const refusal = await shared()
      .cluster.kubectl.run(create, JSON.stringify(task))
      .catch((error: unknown) => String(error));
    expect(refusal).to.include('params.missing');
  });
});
