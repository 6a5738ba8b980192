// Which commands count as a push, and which tools as pushing while they build: one line of a script each.

import { expect } from 'chai';
import { pushFindings } from '../../taskgen/push-checks.ts';
import type { Pusher } from '../../taskgen/registry-auth.ts';
import { withoutComments } from '../../taskgen/text-checks.ts';

const said = (script: string, deferred = false, pusher: Pusher = 'nobody') =>
  pushFindings(withoutComments(script), ['spec', 'steps', 0, 'script'], deferred, pusher).map(({ code, message }) =>
    message.includes('in one go') ? `${code} ${message.split(' ')[0]}` : code,
  );

describe('a script', () => {
  const pushes = [
    'buildah push "$IMAGE"',
    'buildah --storage-driver=vfs push \\\n  --tls-verify=false "$IMAGE" "docker://$IMAGE"',
    'podman manifest push --all list docker://example.com/app',
    'if ! docker push app; then exit 1; fi',
    'skopeo copy oci:layout docker://example.com/app',
    'skopeo copy oci:layout "docker://example.com/app" --all --dest-tls-verify=false',
    'skopeo copy "containers-storage:$IMAGE" "docker://$IMAGE" --digestfile /tmp/d',
    'skopeo copy oci:layout docker://example.com/app --retry-times 3 > log 2>&1',
    'skopeo copy "$FROM" docker://example.com/app --format oci >>log',
    'skopeo sync --src dir --dest docker images example.com/app',
    'skopeo sync --scoped --dest=docker --src=dir images example.com/app',
    'nerdctl push example.com/app',
    'cosign attest --predicate sbom app',
    'crane push app.tar example.com/app',
    'crane cp example.com/app example.com/app:stable',
    'oras attach app sbom.json',
    'oras blob push example.com/app file',
    'oras cp --from-oci-layout layout:app example.com/app',
    'echo "# of $#"; buildah push "$IMAGE"',
    "echo 'a # b' ${x#y} && buildah push app",
    'buildah bud . # as usual \\\nbuildah push app',
    'sudo buildah --log-level debug push "$IMAGE"',
    'retry_buildah push "$IMAGE"',
    'podman image push app',
    'buildah "${options[@]}" push "$IMAGE"',
    'podman $FLAGS --log-level debug push "$IMAGE"',
    'docker compose push',
    '#!/usr/bin/env python3\nrun(["buildah", "push", "$(params.IMAGE)"], check=True)',
    "run(['skopeo', 'copy', 'oci:layout',\n  'docker://example.com/app'], check=True)",
  ];
  for (const script of pushes) it(`pushes: ${script}`, () => expect(said(script)).to.deep.equal(['MPT203']));

  const doesNot = [
    'buildah push "$IMAGE" oci:layout',
    'podman push app docker-archive:app.tar',
    '# buildah push "$IMAGE"',
    'buildah bud --layers . # then buildah push',
    'oras cp --to-oci-layout example.com/app layout:app',
    'git push origin main',
    'buildah build --tag pushed .',
    'skopeo copy docker://example.com/base oci:base',
    'skopeo copy docker://example.com/base oci:base --all',
    'skopeo copy docker://example.com/base oci:base --retry-times 3 2>log',
    'skopeo copy docker://example.com/base "$LAYOUT" --all',
    'skopeo sync --src docker --dest dir example.com/app images',
    'echo "buildah; push"',
    'buildah bud -f push-gateway/Dockerfile -t "$IMAGE" push-gateway',
    'buildah bud --label "stage=pre push" -t "$IMAGE" ./push',
    'echo "now podman will push it later"',
    'docker push-rules',
    'run(["skopeo", "copy", "docker://example.com/base", "oci:base"], check=True)',
    'skopeo inspect "docker://$IMAGE" || echo "no copy docker://yet"',
  ];
  for (const script of doesNot) it(`does not push: ${script}`, () => expect(said(script)).to.deep.equal([]));

  it('with many variables behind options is read at once', function () {
    this.timeout(2000);
    expect(said(`buildah ${'--opt "$VALUE" '.repeat(40)}bud .`)).to.deep.equal([]);
    expect(said(`buildah ${'--opt $VALUE '.repeat(40)}push app`)).to.deep.equal(['MPT203']);
  });

  const tools = [
    ['/kaniko/executor --destination app', 'MPT203 kaniko'],
    ['/kaniko/executor --no-push --tar-path=app.tar', undefined],
    ['ko build ./cmd/app', 'MPT203 ko'],
    ['ko build --push=false --oci-layout-path=out ./cmd/app', undefined],
    ['echo ok build', undefined],
    ['buildctl build --output type=image,name=app,push=true', 'MPT203 buildkit'],
    ['buildctl build --output type=oci,dest=app.tar', undefined],
    ['docker buildx build --push .', 'MPT203 buildkit'],
    ['docker buildx bake --file bake.hcl --push', 'MPT203 buildkit'],
    ['docker build --output type=registry,name=app .', 'MPT203 buildkit'],
    ['docker buildx build --output type=image,name=$(params.IMAGE),push=true .', 'MPT203 buildkit'],
    ['docker buildx build -o "type=image,push=true" .', 'MPT203 buildkit'],
    ['docker buildx build --push=true -t app .', 'MPT203 buildkit'],
    ['docker buildx build --push=false -t app .', undefined],
    ['docker buildx build -o type=image,push=false .', undefined],
    ['docker buildx build --cache-from type=registry,ref=app --load .', undefined],
    ['apko publish apko.yaml example.com/app', 'MPT203 apko'],
    ['apko build apko.yaml app app.tar', undefined],
    ['mvn compile jib:build', 'MPT203 jib'],
    ['mvn compile com.google.cloud.tools:jib-maven-plugin:3.4.0:build', 'MPT203 jib'],
    ['mvn compile jib:buildTar', undefined],
    ['mvn compile com.google.cloud.tools:jib-maven-plugin:buildTar', undefined],
    ['./gradlew jib', 'MPT203 jib'],
    ['./gradlew jibBuildTar', undefined],
    ['pack build app --publish', 'MPT203 buildpacks'],
    ['/cnb/lifecycle/creator app', 'MPT203 buildpacks'],
    ['/cnb/lifecycle/creator -layout app', undefined],
    ['tkn bundle push example.com/bundle -f task.yaml', 'MPT203 tkn'],
    ['dotnet publish -p ContainerRegistry=example.com /t:PublishContainer', 'MPT203 dotnet'],
    ['dotnet publish /t:PublishContainer -p ContainerArchiveOutputPath=app.tar', undefined],
    [
      'cmd=(\n  konflux-build-cli image build -t "$IMAGE"\n  # as a tag\n  --push\n  "$@"\n)',
      'MPT203 konflux-build-cli',
    ],
    ['konflux-build-cli image build -t "$IMAGE" --push-format oci', undefined],
    ['konflux-build-cli image build -t "$IMAGE" --push=false', undefined],
  ] as const;
  for (const [script, expected] of tools) {
    it(`${expected === undefined ? 'leaves the registry alone' : expected}: ${script}`, () =>
      expect(said(script)).to.deep.equal(expected === undefined ? [] : [expected]));
  }

  it('whose push waits for the image is no error', () => {
    expect(said('buildah bud -t app .\nbuildah push app', true)).to.deep.equal([]);
  });

  for (const line of ['buildah run c make', 'buildah commit c app', 'buildah bud --iidfile id .']) {
    it(`cannot run twice: ${line}`, () => expect(said(`${line}\nbuildah push app`, true)).to.deep.equal(['MPT205']));
  }

  for (const line of ['buildah images | grep -v app >base', 'base=$(podman images --filter reference=base)']) {
    it(`sees other images when it runs twice: ${line}`, () =>
      expect(said(`buildah bud -t app .\nbuildah push app\n${line}`, true)).to.deep.equal(['MPT208']));
  }

  it('of files has no image to wait for', () => {
    expect(said('mvn package\noras push example.com/app app.zip', true)).to.deep.equal(['MPT205']);
  });

  it('may show the list of images', () => {
    expect(said('buildah bud -t app .\nbuildah images\nbuildah push app', true)).to.deep.equal([]);
  });

  it('without a push has nothing to wait with', () => expect(said('make', true)).to.deep.equal(['MPT205']));
});

describe('with --registry-auth push', () => {
  const cases: readonly (readonly [Pusher, string, string[], string])[] = [
    ['script', 'buildah push app', [], 'a push finds the credential'],
    ['script', '/kaniko/executor --destination app', [], 'so does a tool that builds and pushes in one go'],
    ['script', 'buildah push --authfile "$HOME/auth.json" app', ['MPT202'], 'a push with another credential does not'],
    ['script', 'skopeo copy --dest-creds=a:b oci:x docker://app', ['MPT202'], 'nor does one by name and password'],
    ['script', 'buildah login quay.io; buildah push app', ['MPT202'], 'nor one after a login'],
    ['script', 'export DOCKER_CONFIG=/other; buildah push app', ['MPT202'], 'nor one after a variable'],
    ['script', 'make', ['MPT036'], 'a script without a push has no use for it'],
    ['transfer', 'buildah push app', ['MPT203'], 'a push by the script comes too early for --transfer registry'],
    ['transfer', 'buildah build -t app .', [], 'a script without a push is what --transfer registry is for'],
  ];
  for (const [pusher, script, codes, what] of cases)
    it(`${what}: ${script}`, () => expect(said(script, false, pusher)).to.deep.equal(codes));
});
