// A real API server with Tekton's definitions takes everything that the generator makes, fields it does not know included.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseDocuments } from '../../taskgen/source-document.ts';
import { startApiServer } from '../support/api-server.ts';
import type { ApiServer } from '../support/api-server.ts';

const root = join(import.meta.dirname, '../..');
const goldens = readdirSync(join(root, 'test/taskgen/golden')).map(
  (name) => `test/taskgen/golden/${name}/expected.yaml`,
);
const files = [
  'taskgen/sources/buildah.yaml',
  'tasks/generated/buildah-remote.yaml',
  ...goldens.filter((file) => existsSync(join(root, file))),
];

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly 'x-defaults'?: unknown;
}

function tasksOf(file: string): Manifest[] {
  return parseDocuments(readFileSync(join(root, file), 'utf8'))
    .map((document): Manifest => document.toJS())
    .filter(({ kind }) => kind === 'Task');
}

describe('a real API server', function () {
  this.timeout(120_000);
  let server: ApiServer;
  before(async () => {
    server = await startApiServer();
  });
  after(async () => server.stop());

  for (const file of files) {
    it(`takes ${file}`, async () => {
      for (const { 'x-defaults': _, ...task } of tasksOf(file)) {
        const path = `/apis/${task.apiVersion}/namespaces/default/tasks?dryRun=All&fieldValidation=Strict`;
        const answer: { kind: string } = await server.ask('POST', path, task);
        expect(answer.kind).to.equal('Task');
      }
    });
  }

  it('refuses a Task with an unknown field, so that the tests above mean something', async () => {
    const task = { apiVersion: 'tekton.dev/v1', kind: 'Task', metadata: { name: 'odd' }, spec: { stepz: [] } };
    const path = '/apis/tekton.dev/v1/namespaces/default/tasks?dryRun=All&fieldValidation=Strict';
    const refusal = await server.ask('POST', path, task).catch((error: unknown) => String(error));
    expect(refusal).to.include('stepz');
  });
});
