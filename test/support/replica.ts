// One of several replicas, with its own way to the API server: what it writes is told apart from what others write, and
// it can be cut off alone.
import { isWrite, type PassedRequest } from './chaos-rules.ts';
import { startChaosProxy, type ChaosProxy } from './chaos-proxy.ts';
import type { ControllerProcess } from './controller-process.ts';
import { operatorNamespace, type Raw, type Scenario } from './scenario.ts';

export interface Replica {
  readonly identity: string;
  readonly proxy: ChaosProxy;
  readonly process: ControllerProcess;
  /** What it changed, after its request number `since`. Neither Events nor the election count. */
  writes(since?: number): readonly PassedRequest[];
  end(): Promise<void>;
}

const besides: ReadonlySet<string> = new Set(['events', 'leases']);

/** Resolves when it is ready: leading, or standing by. */
export async function startReplica(scenario: Scenario, identity: string): Promise<Replica> {
  const proxy = await startChaosProxy(scenario.api);
  const kubeconfig = await scenario.api.writeKubeconfig({ url: proxy.url });
  const process = await scenario.startController({ kubeconfig, identity, args: ['--leader-elect'] });
  return {
    identity,
    proxy,
    process,
    writes: (since = 0) => proxy.requests.filter((it) => it.number > since && isWrite(it) && !besides.has(it.resource)),
    end: async () => {
      await process.kill();
      await proxy.stop();
    },
  };
}

/** The Lease the replicas elect by; undefined before the first one leads. */
export function electionLease(scenario: Scenario): Promise<Raw> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${operatorNamespace}/leases/5483be8f.redhat.com`;
  return scenario.try('GET', path);
}
