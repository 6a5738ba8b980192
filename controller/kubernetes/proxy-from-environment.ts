// Whether the API server is reached through a proxy, by the variables everybody knows: HTTPS_PROXY, HTTP_PROXY, NO_PROXY,
// upper case or lower, read as other Kubernetes clients read them. Connects to nothing.
import { BlockList, isIP } from 'node:net';

type Environment = Readonly<Record<string, string | undefined>>;

/** Undefined: straight to the server. */
export function proxyFromEnvironment(server: URL, environment: Environment): string | undefined {
  const read = (name: string): string => environment[name] || environment[name.toLowerCase()] || '';
  const proxy = read(server.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  const host = server.hostname.replace(/^\[|\]$/g, '');
  if (proxy === '' || isThisMachine(host)) return undefined;
  const port = server.port || (server.protocol === 'https:' ? '443' : '80');
  const exceptions = read('NO_PROXY').split(',');
  if (exceptions.some((exception) => isMeant(exception.trim().toLowerCase(), host, port))) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** `*`, an address, a range such as 10.0.0.0/8, a domain with all below it, or `.domain` with only those below it. */
function isMeant(exception: string, host: string, port: string): boolean {
  if (exception === '*') return true;
  if (exception.includes('/')) return isInRange(host, exception);
  const [, name = exception, onlyPort] =
    isIP(exception) === 6 ? [] : (/^\[?(.*?)\]?(?::(\d+))?$/.exec(exception) ?? []);
  if (name === '' || (onlyPort !== undefined && onlyPort !== port)) return false;
  const below = name.replace(/^\*?\./, '');
  return name === host || host.endsWith(`.${below}`);
}

function isInRange(host: string, range: string): boolean {
  const [network = '', bits] = range.split('/');
  const version = isIP(network);
  const prefix = Number(bits);
  if (version === 0 || isIP(host) !== version || !(prefix >= 0 && prefix <= (version === 4 ? 32 : 128))) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  return list.check(host, family);
}
