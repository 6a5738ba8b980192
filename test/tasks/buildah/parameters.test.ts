// What the first step of the buildah Task makes of the other parameters, and what it refuses.
import { expect } from 'chai';
import { prepareBuild } from './prepared-build.ts';

type Limits = Readonly<Partial<Record<'REQUEST_CPU' | 'REQUEST_MEMORY' | 'LIMIT_CPU' | 'LIMIT_MEMORY', string>>>;

describe('M4 BUILD_CONTEXTS', () => {
  const check = (context: string) => prepareBuild({ files: { 'lib/file': '' }, words: ['--build-contexts', context] });

  for (const good of [
    'base=docker-image://example.com/base:1',
    'lib=lib',
    'lib=./lib/',
    'site=https://example.com/a.tar.gz',
    'here=.',
    'example.com/golang:1.18=docker-image://example.com/golang:1.23',
  ]) {
    it(`takes ${good}`, () => expect(check(good)).to.include({ code: 0, stderr: '' }));
  }

  const refused = [
    { context: '=lib', says: /'=lib' must be NAME=VALUE/ },
    { context: 'lib', says: /'lib' must be NAME=VALUE/ },
    { context: 'lib=', says: /'lib=' must be NAME=VALUE/ },
    { context: '--build-arg=x', says: /must be NAME=VALUE/ },
    { context: 'a b=lib', says: /must be NAME=VALUE/ },
    { context: 'lib=none', says: /lib is 'none', and there is no such folder in the source/ },
    { context: 'lib=lib/file', says: /there is no such folder/ },
    { context: 'lib=../prepared', says: /lib is '..\/prepared', which is not in the source/ },
    { context: 'etc=/etc', says: /etc is '\/etc', which is not in the source/ },
  ];
  for (const { context, says } of refused) {
    it(`refuses ${context}`, () => {
      const { code, stderr } = check(context);
      expect(stderr).to.match(says);
      expect(code).to.equal(1);
    });
  }
});

describe('M5 REGISTRIES_*', () => {
  it('become one registries.conf of version 2, with one table a registry', () => {
    const search = ['--registries-search', 'registry.example.com', 'docker.io/library'];
    const insecure = ['--registries-insecure', 'registry.local:5000', 'both.example.com/team'];
    const block = ['--registries-block', 'both.example.com/team', '*.evil.example'];
    const { code, file } = prepareBuild({ words: [...search, ...insecure, ...block] });
    expect(code).to.equal(0);
    expect(file('registries.conf')).to
      .equal(`unqualified-search-registries = ["registry.example.com", "docker.io/library"]

[[registry]]
prefix = "registry.local:5000"
location = "registry.local:5000"
insecure = true

[[registry]]
prefix = "both.example.com/team"
location = "both.example.com/team"
insecure = true
blocked = true

[[registry]]
prefix = "*.evil.example"
blocked = true
`);
  });

  it('leave the configuration of the builder image when none is given', () => {
    expect(prepareBuild({}).file('registries.conf')).to.equal(undefined);
  });

  for (const name of ['', 'https://example.com', 'a b', 'x"\ny', '-x', 'example.com/', 'Example.com/Upper']) {
    it(`refuse ${JSON.stringify(name)}`, () => {
      const { code, stderr } = prepareBuild({ words: ['--registries-block', name] });
      expect(stderr).to.include(`'${name}' is no registry`);
      expect(code).to.equal(1);
    });
  }

  it('refuse a whole domain as a place to look in', () => {
    const { stderr } = prepareBuild({ words: ['--registries-search', '*.example.com'] });
    expect(stderr).to.include("REGISTRIES_SEARCH: '*.example.com' is no place to look in");
  });
});

describe('M6 REQUEST_* and LIMIT_*', () => {
  const taken: readonly { readonly limits: Limits; readonly podman: string }[] = [
    { limits: {}, podman: '' },
    { limits: { LIMIT_CPU: '500m' }, podman: '--cpus=0.500\n' },
    { limits: { LIMIT_CPU: '2', REQUEST_CPU: '2000m' }, podman: '--cpus=2.000\n' },
    { limits: { LIMIT_CPU: '1.5' }, podman: '--cpus=1.500\n' },
    { limits: { LIMIT_MEMORY: '4Gi', REQUEST_MEMORY: '4G' }, podman: '--memory=4294967296\n' },
    { limits: { LIMIT_MEMORY: '1e9' }, podman: '--memory=1000000000\n' },
    { limits: { LIMIT_MEMORY: '.5Gi' }, podman: '--memory=536870912\n' },
    { limits: { LIMIT_MEMORY: '128974848000m' }, podman: '--memory=128974848\n' },
    { limits: { LIMIT_CPU: '1', LIMIT_MEMORY: '700M' }, podman: '--cpus=1.000\n--memory=700000000\n' },
    { limits: { REQUEST_CPU: '1', REQUEST_MEMORY: '1Ti' }, podman: '' },
  ];
  for (const { limits, podman } of taken) {
    it(`${JSON.stringify(limits)} is for podman ${JSON.stringify(podman)}`, () => {
      const { stderr, file } = prepareBuild({ parameters: limits });
      expect(file('podman-arguments'), stderr).to.equal(podman);
    });
  }

  const refused: readonly { readonly limits: Limits; readonly says: string }[] = [
    { limits: { LIMIT_CPU: 'two' }, says: "LIMIT_CPU is 'two': write a quantity" },
    { limits: { LIMIT_CPU: '-1' }, says: "LIMIT_CPU is '-1'" },
    { limits: { LIMIT_MEMORY: '4GB' }, says: "LIMIT_MEMORY is '4GB'" },
    { limits: { REQUEST_MEMORY: '1 Gi' }, says: "REQUEST_MEMORY is '1 Gi'" },
    { limits: { LIMIT_MEMORY: '1Gi\n--privileged' }, says: 'write a quantity' },
    { limits: { LIMIT_CPU: '0' }, says: 'LIMIT_CPU is 0: it must be more than nothing' },
    { limits: { LIMIT_CPU: '1', REQUEST_CPU: '1001m' }, says: 'not less than REQUEST_CPU (1001m)' },
    { limits: { LIMIT_MEMORY: '1G', REQUEST_MEMORY: '1Gi' }, says: 'LIMIT_MEMORY is 1G: it must be more than nothing, and not less than REQUEST_MEMORY (1Gi)' },
  ]; // prettier-ignore
  for (const { limits, says } of refused) {
    it(`${JSON.stringify(limits)} is refused`, () => {
      const { code, stderr } = prepareBuild({ parameters: limits });
      expect(stderr).to.include(says);
      expect(code).to.equal(1);
    });
  }
});

describe('M7 BUILD_ARGS_FILE', () => {
  it('must be there', () => {
    const { code, stderr } = prepareBuild({ parameters: { BUILD_ARGS_FILE: 'args' } });
    expect({ code, stderr }).to.deep.equal({ code: 1, stderr: 'BUILD_ARGS_FILE: there is no args in the source\n' });
  });
});
