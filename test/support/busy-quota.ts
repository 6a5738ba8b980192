// Creations that meet in one quota: the API server refuses all but one with 409 and reason Conflict, and they may simply
// be tried again. Here by a webhook, which decides when.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';
import type { ApiServer } from './api-server.ts';
import { freePort } from './free-port.ts';

const configurations = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const conflict = {
  code: 409,
  reason: 'Conflict',
  message: 'Operation cannot be fulfilled on resourcequotas "all": the object has been modified',
};

/** Refuses the next creations of objects of that resource, so many; returns how to end it, which tells how many it refused. */
export async function keepQuotaBusy(
  server: ApiServer,
  resource: string,
  times: number,
): Promise<() => Promise<number>> {
  let refused = 0;
  const { certificate: cert, key } = await server.authority.issueServer();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { apiVersion, kind, request: asked } = JSON.parse(await text(request));
    const allowed = refused >= times;
    if (!allowed) refused += 1;
    const said = { uid: asked.uid, allowed, ...(allowed ? {} : { status: conflict }) };
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ apiVersion, kind, response: said }));
  };
  const webhook = createServer({ cert, key }, (request, response) => void answer(request, response));
  const port = await freePort();
  await new Promise<void>((resolve) => webhook.listen(port, '127.0.0.1', resolve));
  const caBundle = Buffer.from(server.authority.certificate).toString('base64');
  await server.ask('POST', configurations, {
    metadata: { name: 'busy-quota' },
    webhooks: [
      {
        name: 'busy-quota.test.invalid',
        clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: [resource] }],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  });
  return async () => {
    await server.ask('DELETE', `${configurations}/busy-quota`);
    webhook.closeAllConnections();
    await new Promise((resolve) => webhook.close(resolve));
    return refused;
  };
}
