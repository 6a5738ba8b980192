// What deploy/ turns into, as objects: built by the same kustomize that installs it.
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { kubectlFor } from '../cluster/kubectl.ts';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly [field: string]: any;
}

export const repository = join(import.meta.dirname, '../..');
export const operatorNamespace = 'multi-platform-controller';
export const serviceAccounts = {
  controller: 'multi-platform-controller-controller-manager',
  provision: 'multi-platform-provision',
  clean: 'multi-platform-clean',
  update: 'multi-platform-update',
  launch: 'multi-platform-launch',
} as const;

/** A folder of the repository, or an absolute one. */
export async function buildManifests(folder: string): Promise<Manifest[]> {
  const path = folder.startsWith('/') ? folder : join(repository, folder);
  return parseManifests(await kubectlFor().run(['kustomize', path]));
}

export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text).map((document): Manifest => document.toJS());
}

export function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.filter((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${found.length} of ${kind} ${name}`);
  return only;
}

export function ofKind(manifests: readonly Manifest[], kind: string): Manifest[] {
  return manifests.filter((manifest) => manifest.kind === kind);
}

/** Pod specs as they run: of the Deployment, and of each Task with its stepTemplate in every step. */
export function podSpecs(manifests: readonly Manifest[]): { readonly of: string; readonly spec: Manifest['spec'] }[] {
  const deployments = ofKind(manifests, 'Deployment').map(({ metadata, spec }) => ({
    of: metadata.name,
    spec: spec.template.spec,
  }));
  const tasks = ofKind(manifests, 'Task').map(({ metadata, spec }) => {
    const containers = spec.steps.map((step: Record<string, unknown>) => ({
      name: step['name'],
      image: step['image'],
      securityContext: step['securityContext'] ?? spec.stepTemplate?.securityContext,
    }));
    return { of: metadata.name, spec: { containers } };
  });
  return [...deployments, ...tasks];
}
