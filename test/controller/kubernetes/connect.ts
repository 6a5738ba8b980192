// A client of a test's API server, as main builds one, with short times.
import { loadKubeConfig, KubeAccess } from '../../../controller/kubernetes/kube-access.ts';
import { ClusterClient } from '../../../controller/kubernetes/cluster-client.ts';
import { HttpTransport } from '../../../controller/kubernetes/http-transport.ts';
import type { RequestRecord, TransportOptions } from '../../../controller/kubernetes/http-transport.ts';
import { systemClock } from '../../../controller/telemetry/clock.ts';

export interface Connected {
  readonly transport: HttpTransport;
  readonly cluster: ClusterClient;
  readonly records: RequestRecord[];
}

export function connect(kubeconfig: string, options: Partial<TransportOptions> = {}): Connected {
  const records: RequestRecord[] = [];
  const transport = new HttpTransport({
    access: new KubeAccess(
      () => loadKubeConfig(kubeconfig),
      () => systemClock.monotonic(),
    ),
    clock: systemClock,
    userAgent: 'test',
    onRequest: (record) => records.push(record),
    ...options,
    limits: { retryDelay: 1, ...options.limits },
  });
  return { transport, cluster: new ClusterClient(transport), records };
}
