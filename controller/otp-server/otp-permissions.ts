// Everything the key server may ask of the API, as data. RBAC in deploy/otp is proved equal to this list.
import type { Permission } from '../kubernetes/permissions.ts';

export const otpPermissions: readonly Permission[] = [
  { resource: 'tokenreviews', verbs: ['create'], scope: 'cluster', why: 'who stores a key, who asks for metrics' },
  { resource: 'subjectaccessreviews', verbs: ['create'], scope: 'cluster', why: 'whether they may have the metrics' },
  {
    resource: 'secrets',
    verbs: ['get', 'list', 'create', 'patch', 'delete'],
    scope: 'operator-namespace',
    why: 'stored keys, the key they are encrypted with, and the certificate where nobody else makes one',
  },
];
