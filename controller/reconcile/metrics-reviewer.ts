// Who may read the metrics, asked of the API server: TokenReview, then SubjectAccessReview. The key server asks in the same way.
import type { Cluster } from '../kubernetes/cluster.ts';
import { asArray, asObject, asText } from '../model/json.ts';
import type { Reviewer, TokenUser } from '../telemetry/token-gate.ts';

export function reviewerOf(cluster: Cluster): Reviewer {
  return {
    authenticate: async (token) => {
      const status = await cluster.review('tokenreviews', { token });
      return status['authenticated'] === true ? userOf(asObject(status['user'])) : undefined;
    },
    authorize: async ({ username, uid, groups, extra }) => {
      const nonResourceAttributes = { path: '/metrics', verb: 'get' };
      const status = await cluster.review('subjectaccessreviews', {
        user: username,
        uid,
        groups,
        extra,
        nonResourceAttributes,
      });
      return status['allowed'] === true;
    },
  };
}

function userOf(user: Readonly<Record<string, unknown>>): TokenUser {
  const uid = asText(user['uid']);
  const extra = Object.entries(asObject(user['extra'])).map(([key, values]) => [key, texts(values)] as const);
  return {
    username: asText(user['username']) ?? '',
    groups: texts(user['groups']),
    extra: Object.fromEntries(extra),
    ...(uid === undefined ? {} : { uid }),
  };
}

function texts(values: unknown): string[] {
  return asArray(values).flatMap((value) => asText(value) ?? []);
}
