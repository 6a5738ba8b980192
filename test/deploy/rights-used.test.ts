// No right without a use: where the code asks for what each ServiceAccount may do. That it may do all it asks for is seen where it runs
// with these rights: test/scenarios/rights.test.ts, test/controller/otp-server/otp-lab.ts, test/tasks/provider-pod/pod-stand.ts.
import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { accessOf } from './access-rules.ts';
import { buildManifests, type Manifest, repository, serviceAccounts } from './manifests.ts';

/** By right, in a file or a folder: what asks for it. */
type Uses = Readonly<Record<string, readonly [place: string, asks: RegExp]>>;

const reviews = 'controller/reconcile/metrics-reviewer.ts';
const watches = 'controller/reconcile/start-watches.ts';
const watchOf = (resource: string): RegExp => new RegExp(`scope: \\{\\s*resource: '${resource}'`);
const watched = (scope: string, right: string, resource: string): Uses => ({
  [`${scope} ${right} list`]: [watches, watchOf(resource)],
  [`${scope} ${right} watch`]: [watches, watchOf(resource)],
});

const ofController: Uses = {
  ...watched('cluster', 'tekton.dev/taskruns', 'taskruns'),
  'cluster tekton.dev/taskruns get': ['controller/reconcile', /cluster\.read\('taskruns'/],
  'cluster tekton.dev/taskruns patch': ['controller/reconcile', /cluster\.patch\('taskruns'/],
  'cluster /secrets create': ['controller/reconcile', /cluster\.create\('secrets', owner\.namespace/],
  'cluster /secrets delete': ['controller/reconcile', /cluster\.delete\('secrets', action\.namespace/],
  'cluster /pods patch': ['controller/reconcile', /cluster\.patch\('pods'/],
  'cluster /events create': ['controller/reconcile', /cluster\.create\('events'/],
  'cluster authentication.k8s.io/tokenreviews create': [reviews, /review\('tokenreviews'/],
  'cluster authorization.k8s.io/subjectaccessreviews create': [reviews, /review\('subjectaccessreviews'/],
  'operator-namespace tekton.dev/taskruns create': ['controller/reconcile', /cluster\.create\('taskruns'/],
  'operator-namespace tekton.dev/taskruns delete': ['controller/reconcile', /cluster\.delete\('taskruns'/],
  ...watched('operator-namespace', 'tekton.dev/tasks', 'tasks'),
  ...watched('operator-namespace', '/configmaps', 'configmaps'),
  ...watched('operator-namespace', '/events', 'events'),
  ...watched('operator-namespace', '/secrets', 'secrets'),
  'operator-namespace /secrets get': ['controller/reconcile/lease-key.ts', /cluster\.read\('secrets'/],
  'operator-namespace /secrets create': ['controller/reconcile/lease-key.ts', /cluster\.create\('secrets'/],
  'operator-namespace /secrets patch': ['controller/reconcile', /patch\('secrets', namespace, storedKeyName/],
  'operator-namespace /secrets delete': ['controller/reconcile', /cluster\.delete\('secrets', action\.namespace/],
  'operator-namespace coordination.k8s.io/leases get': ['controller/kubernetes', /cluster\.read\('leases'/],
  'operator-namespace coordination.k8s.io/leases create': ['controller/kubernetes', /cluster\.create\('leases'/],
  'operator-namespace coordination.k8s.io/leases update': ['controller/kubernetes', /cluster\.replace\('leases'/],
};

const ofProvision: Uses = {
  'cluster /secrets create': ['tasks/runner/build-secret.sh', /post "\$\(api_url "\$NAMESPACE" secrets\)"/],
  'operator-namespace /events create': ['tasks/runner/build-secret.sh', /"\$\(api_url "\$namespace" events\)"/],
};

const pods = 'tasks/provider-pod';
const hosts = (right: string): string => `multi-platform-hosts ${right}`;
const ofLaunch: Uses = {
  ...ofProvision,
  'cluster /nodes list': [pods, /api GET "\/api\/v1\/nodes\?/],
  'default discovery.k8s.io/endpointslices get kubernetes': [pods, /api GET \S+\/endpointslices\/kubernetes/],
  ...Object.fromEntries(
    ['pods', 'services', 'secrets'].flatMap((kind) => [
      [hosts(`/${kind} get`), [pods, new RegExp(`api GET "\\$\\(path_of ${kind} `)]],
      [hosts(`/${kind} create`), [pods, new RegExp(`create ${kind} \\d`)]],
      [hosts(`/${kind} delete`), [pods, new RegExp(`remove ${kind} `)]],
    ]),
  ),
  [hosts('/pods patch')]: [pods, /annotate pods /],
  [hosts('/services patch')]: [pods, /annotate services /],
  [hosts('/secrets patch')]: [pods, /api PATCH "\$\(path_of secrets /],
  [hosts('/pods/log get')]: [pods, /api GET "\$\(path_of pods "\$LAUNCH_TOKEN"\)\/log/],
  [hosts('/events list')]: [pods, /api GET "\$\(path_of events\)/],
  [hosts('networking.k8s.io/networkpolicies list')]: [pods, /api GET "\$\(path_of networkpolicies\)/],
  [hosts('networking.k8s.io/networkpolicies create')]: [pods, /create networkpolicies \d/],
  [hosts('networking.k8s.io/networkpolicies delete')]: [pods, /remove networkpolicies /],
};

const otp = 'controller/otp-server';
const ofKeyServer: Uses = {
  'cluster authentication.k8s.io/tokenreviews create': [otp, /review\('tokenreviews'/],
  // Of whoever reads its metrics.
  'cluster authorization.k8s.io/subjectaccessreviews create': [reviews, /review\('subjectaccessreviews'/],
  'operator-namespace /secrets get': [otp, /cluster\.read\('secrets'/],
  'operator-namespace /secrets list': [otp, /resource: 'secrets', namespace, labelSelector/],
  'operator-namespace /secrets create': [otp, /cluster\.create\('secrets'/],
  'operator-namespace /secrets patch': [otp, /cluster\.patch\('secrets'/],
  'operator-namespace /secrets delete': [otp, /cluster\.delete\('secrets'/],
};

describe('every right is used', () => {
  let manifests: Manifest[];
  before(async () => {
    const folders = ['deploy/operator', 'deploy/otp', 'deploy/providers/pod'];
    manifests = (await Promise.all(folders.map(buildManifests))).flat();
  });

  const accounts: readonly (readonly [string, Uses])[] = [
    [serviceAccounts.controller, ofController],
    [serviceAccounts.provision, ofProvision],
    [serviceAccounts.launch, ofLaunch],
    [serviceAccounts.clean, {}],
    [serviceAccounts.update, {}],
    ['multi-platform-otp-server', ofKeyServer],
  ];
  for (const [account, uses] of accounts)
    it(`of ${account}`, () => {
      expect(accessOf(account, manifests)).to.have.members(Object.keys(uses));
      for (const [right, [place, asks]] of Object.entries(uses)) expect(textOf(place), right).to.match(asks);
    });

  it('and there are no other accounts', () => {
    const named = manifests.filter(({ kind }) => kind === 'ServiceAccount').map(({ metadata }) => metadata.name);
    expect(named).to.have.members(accounts.map(([account]) => account));
  });
});

function textOf(place: string): string {
  const path = join(repository, place);
  if (/\.[a-z]+$/.test(place)) return readFileSync(path, 'utf8');
  const files = readdirSync(path).filter((name) => /\.(ts|sh)$/.test(name));
  return files.map((name) => readFileSync(join(path, name), 'utf8')).join('\n');
}
