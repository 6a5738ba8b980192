// A kubeconfig with the rights of one ServiceAccount of the operator namespace, beside that of the admin, and gone with it.
import { readFile, writeFile } from 'node:fs/promises';
import { operatorNamespace, type Scenario } from './scenario.ts';

export async function kubeconfigOf({ api }: Scenario, account: string): Promise<string> {
  const path = `/api/v1/namespaces/${operatorNamespace}/serviceaccounts/${account}/token`;
  const { status } = await api.ask('POST', path, { spec: {} });
  const config = JSON.parse(await readFile(api.kubeconfig, 'utf8'));
  config.users[0].user = { token: status.token };
  const file = `${api.kubeconfig}-${account}`;
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}
