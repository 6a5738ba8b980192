// Who may store keys: the ServiceAccount of provision TaskRuns, with a token made for this server and for nobody else, so
// that it is of no use at the API server. Asks the API server; token-gate.ts remembers the answer.
import type { Cluster } from '../kubernetes/cluster.ts';
import { asArray, asObject, asText } from '../model/json.ts';
import type { Reviewer } from '../telemetry/token-gate.ts';

/** In the projected token of tasks/provision-shared-host/task.yaml. */
export const tokenAudience = 'multi-platform-otp-server';

export function provisionReviewer(
  cluster: Pick<Cluster, 'review'>,
  namespace: string,
  serviceAccount: string,
): Reviewer {
  const allowed = `system:serviceaccount:${namespace}:${serviceAccount}`;
  return {
    authenticate: async (token) => {
      const status = await cluster.review('tokenreviews', { token, audiences: [tokenAudience] });
      // A server that knows no audiences names none, and has only checked that the token is good for itself.
      if (status['authenticated'] !== true || !asArray(status['audiences']).includes(tokenAudience)) return undefined;
      return { username: asText(asObject(status['user'])['username']) ?? '', groups: [] };
    },
    authorize: ({ username }) => Promise.resolve(username === allowed),
  };
}
