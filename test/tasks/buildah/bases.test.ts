// FROM and RUNTIME_STAGE_FROM: which line of a Dockerfile they replace, and that nothing else changes.
import { expect } from 'chai';
import { prepareBuild } from './prepared-build.ts';

interface Case {
  readonly title: string;
  readonly dockerfile: string;
  readonly FROM?: string;
  readonly RUNTIME_STAGE_FROM?: string;
  readonly TARGET_STAGE?: string;
  readonly args?: readonly string[];
  readonly argsFile?: string;
  /** Line (from 1) → what it becomes; lines of a longer instruction become empty. */
  readonly becomes?: Readonly<Record<number, string>>;
  readonly fails?: RegExp;
}

const twoStages = 'FROM golang:1.22 AS build\nRUN make\nFROM alpine:3\nCOPY --from=build /app /app\n';

const first: readonly Case[] = [
  { title: 'the only FROM', dockerfile: 'FROM alpine\nRUN true\n', FROM: 'mine:1', becomes: { 1: 'FROM mine:1' } },
  { title: 'the first of several, which keeps its name', dockerfile: twoStages, FROM: 'mine:1', becomes: { 1: 'FROM mine:1 AS build' } },
  { title: 'and keeps its --platform', dockerfile: 'FROM --platform=$BUILDPLATFORM a AS b\n', FROM: 'mine@sha256:0', becomes: { 1: 'FROM --platform=$BUILDPLATFORM mine@sha256:0 AS b' } },
  { title: 'with docker:// in front of the image', dockerfile: 'FROM alpine\n', FROM: 'docker://example.com:5000/mine:1', becomes: { 1: 'FROM example.com:5000/mine:1' } },
  { title: 'in any case', dockerfile: '  from alpine aS Build\n', FROM: 'mine', becomes: { 1: 'FROM mine AS Build' } },
  { title: 'behind comments, directives and ARG', dockerfile: '# syntax=docker/dockerfile:1\n\n# FROM none\nARG V=1\nFROM a:$V\n', FROM: 'mine', becomes: { 5: 'FROM mine' } },
  { title: 'over several lines, whose number stays', dockerfile: 'FROM \\\n  # why\n\n  a \\  \n  AS b\nRUN true\n', FROM: 'mine', becomes: { 1: 'FROM mine AS b', 2: '', 3: '', 4: '', 5: '' } },
  { title: 'whose variable nobody set', dockerfile: 'ARG BASE\nFROM ${BASE}\n', FROM: 'mine', becomes: { 2: 'FROM mine' } },
  { title: 'in a file with Windows line ends', dockerfile: 'FROM a\r\nRUN b\r\n', FROM: 'mine', becomes: { 1: 'FROM mine' } },
  { title: 'behind a byte order mark', dockerfile: '\ufeffFROM a\n', FROM: 'mine', becomes: { 1: 'FROM mine' } },
  { title: 'of a file without a line feed at its end', dockerfile: 'FROM a', FROM: 'mine', becomes: { 1: 'FROM mine' } },
]; // prettier-ignore

const heredoc = (start: string, end: string): string => `FROM a AS one\n${start}\nFROM inside AS two\n${end}\nFROM b\n`;

const last: readonly Case[] = [
  { title: 'the last of several', dockerfile: twoStages, becomes: { 3: 'FROM mine' } },
  { title: 'the only one', dockerfile: 'FROM a\n', becomes: { 1: 'FROM mine' } },
  { title: 'with name and platform', dockerfile: 'FROM a AS b\nFROM --platform=linux/amd64 c AS d\n', becomes: { 2: 'FROM --platform=linux/amd64 mine AS d' } },
  { title: 'that of TARGET_STAGE, by name in any case', dockerfile: 'FROM a AS One\nFROM b AS two\n', TARGET_STAGE: 'one', becomes: { 1: 'FROM mine AS One' } },
  { title: 'that of TARGET_STAGE, by number', dockerfile: 'FROM a\nFROM b\nFROM c\n', TARGET_STAGE: '1', becomes: { 2: 'FROM mine' } },
  { title: 'the one of the stage that the last stage begins with', dockerfile: 'FROM a AS base\nFROM g AS build\nFROM BASE\n', becomes: { 1: 'FROM mine AS base' } },
  { title: 'through two stages', dockerfile: 'FROM g AS build\nFROM a AS one\nFROM one AS two\nFROM two\n', becomes: { 2: 'FROM mine AS one' } },
  { title: 'through a stage that a variable names', dockerfile: 'ARG STAGE=one\nFROM a AS one\nFROM b AS two\nFROM ${STAGE}\n', args: ['STAGE=two'], becomes: { 3: 'FROM mine AS two' } },
  { title: 'through the default of a variable', dockerfile: 'ARG STAGE="one"\nFROM a AS one\nFROM b AS two\nFROM $STAGE\n', becomes: { 2: 'FROM mine AS one' } },
  { title: 'through a variable made of others', dockerfile: "ARG A=on B='e' C=${A}${B}\nFROM a AS one\nFROM ${C}\n", becomes: { 2: 'FROM mine AS one' } },
  { title: 'with a build argument from the file', dockerfile: 'ARG S\nFROM a AS one\nFROM b AS two\nFROM $S\n', argsFile: '# S=two\nS=one\n', becomes: { 2: 'FROM mine AS one' } },
  { title: 'with one that wins over the file', dockerfile: 'ARG S\nFROM a AS one\nFROM b AS two\nFROM $S\n', argsFile: 'S=one\n', args: ['S=two'], becomes: { 3: 'FROM mine AS two' } },
  { title: 'not with a build argument that no ARG declares', dockerfile: 'FROM a AS one\nFROM b${S}\n', args: ['S=x'], becomes: { 2: 'FROM mine' } },
  { title: 'not with an ARG of a stage', dockerfile: 'FROM a AS one\nARG S=one\nFROM b$S\n', becomes: { 3: 'FROM mine' } },
  { title: 'with ${…:-…}', dockerfile: 'ARG S=\nFROM a AS one\nFROM ${S:-one}\n', becomes: { 2: 'FROM mine AS one' } },
  { title: 'with ${…-…}, which takes an empty value', dockerfile: 'ARG S=\nFROM a AS one\nFROM b${S-one}\n', becomes: { 3: 'FROM mine' } },
  { title: 'with ${…:+…} in ${…:-…}', dockerfile: 'ARG S=x\nFROM a AS one\nFROM ${T:-${S:+one}}\n', becomes: { 2: 'FROM mine AS one' } },
  { title: 'an image whose variable only the host knows', dockerfile: 'FROM a AS one\nFROM base/$TARGETARCH\n', becomes: { 2: 'FROM mine' } },
  { title: 'the last stage of a name that is there twice', dockerfile: 'FROM a AS x\nFROM b AS x\nFROM x\n', becomes: { 2: 'FROM mine AS x' } },
  { title: 'not a stage of the same name further down', dockerfile: 'FROM one AS zero\nFROM b AS one\n', TARGET_STAGE: 'zero', becomes: { 1: 'FROM mine AS zero' } },
  { title: 'behind a text in RUN', dockerfile: heredoc('RUN cat <<EOF', 'EOF'), becomes: { 5: 'FROM mine' } },
  { title: 'behind a quoted one', dockerfile: heredoc('RUN <<"E O" cat', 'E O'), becomes: { 5: 'FROM mine' } },
  { title: 'behind one in single quotes', dockerfile: heredoc("RUN <<'EOF' cat", 'EOF'), becomes: { 5: 'FROM mine' } },
  { title: 'behind one that ends after tabs', dockerfile: heredoc('COPY <<-EOF /f', '\t\tEOF'), becomes: { 5: 'FROM mine' } },
  { title: 'behind two of one instruction', dockerfile: 'FROM a AS one\nCOPY <<A <<B /to/\nFROM x\nA\nFROM y\nB\nFROM b\n', becomes: { 7: 'FROM mine' } },
  { title: 'behind one in ONBUILD', dockerfile: heredoc('ONBUILD RUN <<EOF', 'EOF'), becomes: { 5: 'FROM mine' } },
  { title: 'behind one that a continued line begins', dockerfile: 'FROM a AS one\nRUN true && \\\n  cat <<EOF\nFROM x\nEOF\nFROM b\n', becomes: { 6: 'FROM mine' } },
  { title: 'where << is in quotes, doubled, or in arithmetic', dockerfile: 'FROM a AS one\nRUN echo "<<EOF" && cat <<<x && echo $((1<<2))\nFROM b\n', becomes: { 3: 'FROM mine' } },
  { title: 'where another instruction has a <<', dockerfile: 'FROM a AS one\nLABEL x=<<EOF\nFROM b\n', becomes: { 3: 'FROM mine' } },
  { title: 'where a RUN goes on over comments and empty lines', dockerfile: 'FROM a AS one\nRUN one \\\n# FROM no\n\n  FROM-like \\\nFROM no\nFROM b\n', becomes: { 7: 'FROM mine' } },
  { title: 'where a line ends in two backslashes', dockerfile: 'FROM a AS one\nRUN echo \\\\\nFROM b\n', becomes: { 3: 'FROM mine' } },
  { title: 'where a backtick continues lines', dockerfile: '# escape=`\nFROM a AS one\nRUN dir c:\\\nRUN two `\nFROM no\nFROM b\n', becomes: { 6: 'FROM mine' } },
  { title: 'where the escape directive comes too late', dockerfile: '# a comment\n# escape=`\nFROM a AS one\nRUN x \\\nFROM no\nFROM b\n', becomes: { 6: 'FROM mine' } },
]; // prettier-ignore

const refused: readonly Case[] = [
  { title: 'a last stage that only the host can tell', dockerfile: 'FROM a AS base-amd64\nFROM b AS base-arm64\nFROM base-$TARGETARCH\n', RUNTIME_STAGE_FROM: 'mine', fails: /Dockerfile:3: which stage FROM base-\$TARGETARCH is, only the host will know/ },
  { title: 'a last FROM that is empty', dockerfile: 'ARG B\nFROM a AS one\nFROM $B\n', RUNTIME_STAGE_FROM: 'mine', fails: /Dockerfile:3: FROM \$B is empty: give the build argument/ },
  { title: 'both for one line', dockerfile: 'FROM a\n', FROM: 'mine', RUNTIME_STAGE_FROM: 'other', fails: /both for \.\/Dockerfile:1: set one/ },
  { title: 'a TARGET_STAGE that is not there', dockerfile: twoStages, RUNTIME_STAGE_FROM: 'mine', TARGET_STAGE: 'x', fails: /TARGET_STAGE: \.\/Dockerfile has no stage 'x'/ },
  { title: 'a TARGET_STAGE beyond the last', dockerfile: twoStages, RUNTIME_STAGE_FROM: 'mine', TARGET_STAGE: '2', fails: /has no stage '2'/ },
  { title: 'a Dockerfile without FROM', dockerfile: 'RUN true\n', FROM: 'mine', fails: /has no FROM/ },
  { title: 'a FROM that cannot be read', dockerfile: 'RUN x\n\nFROM a b c d\n', FROM: 'mine', fails: /Dockerfile:3: FROM a b c d: this is neither/ },
  { title: 'an image that is a stage', dockerfile: twoStages, RUNTIME_STAGE_FROM: 'Build', fails: /which is a stage of/ },
  { title: 'an image that is an option', dockerfile: twoStages, FROM: '--platform=x', fails: /FROM is '--platform=x': write the name of an image/ },
  { title: 'an image with a line feed', dockerfile: twoStages, FROM: 'a\nRUN evil', fails: /write the name of an image/ },
  { title: 'an image with a variable', dockerfile: twoStages, FROM: 'a:$V', fails: /write the name of an image/ },
  { title: 'a text in RUN that does not end', dockerfile: 'FROM a\nRUN <<EOF\n', FROM: 'b', fails: /<<EOF begins has no end/ },
  { title: 'an unknown escape', dockerfile: '# escape=x\nFROM a\n', FROM: 'b', fails: /escape=x: it must be/ },
]; // prettier-ignore

function run({ dockerfile, args = [], argsFile, FROM = '', RUNTIME_STAGE_FROM = '', TARGET_STAGE = '' }: Case) {
  const file = argsFile === undefined ? {} : { args: argsFile };
  return prepareBuild({
    files: { Dockerfile: dockerfile, ...file },
    parameters: { FROM, RUNTIME_STAGE_FROM, TARGET_STAGE, BUILD_ARGS_FILE: argsFile === undefined ? '' : 'args' },
    words: ['--build-args', ...args],
  });
}

function check(it: Case): void {
  const { code, stderr, file } = run(it);
  if (it.fails !== undefined) {
    expect(stderr).to.match(it.fails);
    expect(code).to.equal(1);
    return;
  }
  expect(code, stderr).to.equal(0);
  const lines = it.dockerfile.replace(/\n$/, '').split('\n');
  const expected = lines.map((line, index) => it.becomes?.[index + 1] ?? line);
  expect(file('Dockerfile')).to.equal(`${expected.join('\n')}\n`);
}

describe('M2 FROM replaces', () => {
  for (const it of first) specify(it.title, () => check(it));

  specify('both bases together with RUNTIME_STAGE_FROM', () => {
    const { file } = run({ title: '', dockerfile: twoStages, FROM: 'one', RUNTIME_STAGE_FROM: 'two' });
    expect(file('Dockerfile')).to.equal('FROM one AS build\nRUN make\nFROM two\nCOPY --from=build /app /app\n');
  });

  specify('nothing when it is empty: then no Dockerfile is written', () => {
    const { code, file } = run({ title: '', dockerfile: 'FROM a\n' });
    expect({ code, dockerfile: file('Dockerfile') }).to.deep.equal({ code: 0, dockerfile: undefined });
  });

  specify('in the Dockerfile of the context, too', () => {
    const given = { files: { 'app/Dockerfile': 'FROM a\n' }, parameters: { CONTEXT: 'app', FROM: 'mine' } };
    expect(prepareBuild(given).file('Dockerfile')).to.equal('FROM mine\n');
  });
});

describe('M3 RUNTIME_STAGE_FROM replaces', () => {
  for (const it of last) specify(it.title, () => check({ RUNTIME_STAGE_FROM: 'mine', ...it }));
});

describe('M3 FROM and RUNTIME_STAGE_FROM are refused for', () => {
  for (const it of refused) specify(it.title, () => check(it));

  specify('a Dockerfile that is not there', () => {
    const { code, stderr } = prepareBuild({ parameters: { FROM: 'mine', CONTEXT: 'app' } });
    expect({ code, stderr }).to.deep.equal({
      code: 1,
      stderr: 'DOCKERFILE: there is no ./Dockerfile, neither in the source nor in app\n',
    });
  });
});
