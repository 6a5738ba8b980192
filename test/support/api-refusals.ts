// Answers an API server gives when it cannot or will not, as it words them.
import type { Mischief } from './chaos-rules.ts';

export function refuseWith(status: number, reason: string, headers: Readonly<Record<string, string>> = {}): Mischief {
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'mischief', reason, code: status };
  return {
    type: 'answer',
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

export const conflict = refuseWith(409, 'Conflict');
export const throttled = refuseWith(429, 'TooManyRequests', { 'retry-after': '1' });
export const broken = refuseWith(500, 'InternalError');
export const unavailable = refuseWith(503, 'ServiceUnavailable');
export const overloaded = refuseWith(503, 'ServiceUnavailable', { 'retry-after': '1' });
