// API servers for scenarios: the next scenario of a process gets the one of the scenario before, set back.
import { startApiServer, type ApiServer } from './api-server.ts';

const idle: ApiServer[] = [];

export async function lendApiServer(): Promise<ApiServer> {
  return idle.pop() ?? (await startApiServer());
}

/** One that cannot be set back, as when a test left it broken, is ended. */
export async function takeBackApiServer(server: ApiServer): Promise<void> {
  try {
    await server.forget();
    idle.push(server);
  } catch {
    await server.stop();
  }
}
