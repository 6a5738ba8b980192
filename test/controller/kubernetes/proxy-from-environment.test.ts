// Which way to the API server the environment asks for.
import { expect } from 'chai';
import { proxyFromEnvironment } from '../../../controller/kubernetes/proxy-from-environment.ts';

const proxy = 'http://proxy.example:3128';

describe('a proxy named by the environment', () => {
  const cases: readonly [string, string, Record<string, string>, string | undefined][] = [
    ['nothing is set', 'https://api.example:6443', {}, undefined],
    ['HTTPS_PROXY is set', 'https://api.example:6443', { HTTPS_PROXY: proxy }, proxy],
    ['https_proxy is set', 'https://api.example:6443', { https_proxy: proxy }, proxy],
    ['it has no scheme', 'https://api.example', { HTTPS_PROXY: 'proxy.example:3128' }, proxy],
    ['only HTTP_PROXY is set', 'https://api.example', { HTTP_PROXY: proxy }, undefined],
    ['only HTTP_PROXY is set and HTTP is spoken', 'http://api.example', { HTTP_PROXY: proxy }, proxy],
    ['the server is on this machine', 'https://127.0.0.1:6443', { HTTPS_PROXY: proxy }, undefined],
    ['the server is localhost', 'https://localhost:6443', { HTTPS_PROXY: proxy }, undefined],
    ['the server is ::1', 'https://[::1]:6443', { HTTPS_PROXY: proxy }, undefined],
  ];
  for (const [what, server, environment, expected] of cases) {
    it(`${what}: ${expected ?? 'straight to the server'}`, () => {
      expect(proxyFromEnvironment(new URL(server), environment)).to.equal(expected);
    });
  }

  const exceptions: readonly [string, string, boolean][] = [
    ['*', 'https://api.example', true],
    ['api.example', 'https://api.example', true],
    ['API.example', 'https://api.example', true],
    ['example', 'https://api.example', true],
    ['.example', 'https://api.example', true],
    ['.api.example', 'https://api.example', false],
    ['*.example', 'https://api.example', true],
    ['pi.example', 'https://api.example', false],
    ['api.example:6443', 'https://api.example:6443', true],
    ['api.example:443', 'https://api.example', true],
    ['api.example:443', 'https://api.example:6443', false],
    ['other.example, api.example', 'https://api.example', true],
    ['172.30.0.0/16', 'https://172.30.0.1', true],
    ['172.31.0.0/16', 'https://172.30.0.1', false],
    ['172.30.0.0/160', 'https://172.30.0.1', false],
    ['172.30.0.1', 'https://172.30.0.1', true],
    ['fd00::/8', 'https://[fd00::1]:6443', true],
    ['fd00::1', 'https://[fd00::1]:6443', true],
    ['fd00::/8', 'https://172.30.0.1', false],
    ['', 'https://api.example', false],
  ];
  for (const [exception, server, straight] of exceptions) {
    it(`NO_PROXY=${exception} ${straight ? 'means' : 'does not mean'} ${server}`, () => {
      const found = proxyFromEnvironment(new URL(server), { HTTPS_PROXY: proxy, NO_PROXY: exception });
      expect(found).to.equal(straight ? undefined : proxy);
    });
  }
});
