// RBAC manifests → what one ServiceAccount may do, as flat lines that can be compared as sets.
import { type Manifest, ofKind, operatorNamespace } from './manifests.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** `<scope> <group>/<resource> <verb>`; scope is `cluster` or `operator-namespace`. */
export function accessOf(serviceAccount: string, manifests: readonly Manifest[]): string[] {
  const bindings = manifests.filter(({ kind }) => kind === 'ClusterRoleBinding' || kind === 'RoleBinding');
  const bound = bindings.filter(({ subjects }) =>
    subjects.some(
      (subject: { kind: string; name: string; namespace: string }) =>
        subject.kind === 'ServiceAccount' && subject.name === serviceAccount && subject.namespace === operatorNamespace,
    ),
  );
  return bound.flatMap((binding) => linesOf(binding, manifests)).sort();
}

function linesOf(binding: Manifest, manifests: readonly Manifest[]): string[] {
  const scope = binding.kind === 'ClusterRoleBinding' ? 'cluster' : 'operator-namespace';
  const role = ofKind(manifests, binding['roleRef'].kind).find(
    ({ metadata }) => metadata.name === binding['roleRef'].name,
  );
  const rules: readonly Rule[] = role?.['rules'] ?? [];
  return rules.flatMap(({ apiGroups, resources, verbs, resourceNames = [] }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.map((verb) => [scope, `${group}/${resource}`, verb, ...resourceNames].join(' ')),
      ),
    ),
  );
}
