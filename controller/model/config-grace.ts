// How long a build waits for what somebody may be about to put right in host-config or its Secrets: a GitOps sync takes
// seconds.
import { second, type Duration } from './instant.ts';

export const configGrace: Duration = 15 * second;
