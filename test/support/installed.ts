// What deploy/ installs beside the controller itself, on the API server of a scenario: accounts, roles, admission policies.
import { kubectlFor } from '../cluster/kubectl.ts';
import { repository } from '../deploy/manifests.ts';
import type { Scenario } from './scenario.ts';

export async function installed({ api }: Scenario): Promise<void> {
  await kubectlFor(api.kubeconfig).run(['apply', '--server-side', '-k', `${repository}/deploy/overlays/default`]);
}
