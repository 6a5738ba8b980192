// RBAC manifests → what one ServiceAccount may do, as flat lines that can be compared as sets.
import { type Manifest, ofKind, operatorNamespace } from './manifests.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** `<scope> <group>/<resource> <verb>`; scope is `cluster`, `operator-namespace`, or the name of another namespace. */
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
  const { namespace } = binding.metadata;
  const scope =
    namespace === undefined ? 'cluster' : namespace === operatorNamespace ? 'operator-namespace' : namespace;
  const { kind, name } = binding['roleRef'];
  const role = ofKind(manifests, kind).find(
    ({ metadata }) => metadata.name === name && (kind === 'ClusterRole' || metadata.namespace === namespace),
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
