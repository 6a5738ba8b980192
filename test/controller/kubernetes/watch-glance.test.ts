// The look at an event that reads its metadata only says what reading all of it says, or nothing.
import { expect } from 'chai';
import { assert, dictionary, jsonValue, property, string } from 'fast-check';
import { glance } from '../../../controller/kubernetes/watch-glance.ts';
import type { WatchEvent } from '../../../controller/kubernetes/watch-event.ts';
import { watchEvents } from '../../../controller/kubernetes/watch-stream.ts';

const metadata = { name: 'a', namespace: 'x', uid: 'uid-a', resourceVersion: '7' };

function lineOf(type: string, object: object): Buffer {
  return Buffer.from(JSON.stringify({ type, object }));
}

function taskRun(more: object, rest: object = {}): object {
  return { apiVersion: 'tekton.dev/v1', kind: 'TaskRun', metadata: { ...metadata, ...more }, ...rest };
}

async function* inPieces(text: string, length: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += length) yield bytes.subarray(start, start + length);
}

describe('a glance at a watch event', () => {
  it('finds the same metadata as reading all of it, whatever is written there', () => {
    assert(
      property(dictionary(string(), jsonValue()), jsonValue(), (more, status) => {
        const object = taskRun({ annotations: more, ...metadata }, { status });
        const seen = glance(lineOf('MODIFIED', object));
        expect(seen).to.deep.equal({
          type: 'MODIFIED',
          object: { metadata: JSON.parse(JSON.stringify({ annotations: more, ...metadata })) },
          unmarked: true,
        });
      }),
    );
  });

  const texts: readonly [string, string][] = [
    ['braces', '}}{{}'],
    ['quotes', '"}"'],
    ['a backslash at the end', '\\'],
    ['a backslash before a quote', '\\"}'],
    ['something that looks like metadata', '"metadata":{"resourceVersion":"8"}'],
    ['letters of many bytes', 'ä€😀}'],
  ];
  for (const [what, text] of texts) {
    it(`is not misled by ${what} in an annotation`, () => {
      const seen = glance(lineOf('ADDED', taskRun({ annotations: { a: text } })));
      expect(seen?.object.metadata).to.deep.include({ resourceVersion: '7', annotations: { a: text } });
    });
  }

  const unusual: readonly [string, Buffer][] = [
    ['a bookmark', lineOf('BOOKMARK', taskRun({}))],
    ['an error', lineOf('ERROR', { kind: 'Status', apiVersion: 'v1', metadata: {}, code: 410 })],
    ['metadata that comes late', lineOf('ADDED', { kind: 'TaskRun', spec: {}, apiVersion: 'v1', metadata })],
    ['metadata without a version', lineOf('ADDED', { kind: 'TaskRun', apiVersion: 'v1', metadata: { name: 'a' } })],
    ['half a line', lineOf('ADDED', taskRun({ annotations: { a: 'b' } })).subarray(0, 90)],
    [
      'a line that ends in a backslash',
      Buffer.from('{"type":"ADDED","object":{"apiVersion":"v1","kind":"K","metadata":{"a":"\\'),
    ],
    ['an empty line', Buffer.from('')],
  ];
  for (const [what, line] of unusual) {
    it(`leaves ${what} to be read in full`, () => {
      expect(glance(line)).to.equal(undefined);
    });
  }
});

describe('events of a watch with marks', () => {
  const ours = taskRun({ name: 'ours' }, { status: { text: 'a mark is here' } });
  const theirs = taskRun({ name: 'theirs' }, { status: { text: 'nothing' } });
  const text = [lineOf('ADDED', ours), lineOf('MODIFIED', theirs), lineOf('BOOKMARK', { metadata })].join('\n');

  for (const length of [1, 7, 64, 10_000]) {
    it(`reads in full what holds one, in pieces of ${length} bytes`, async () => {
      const events: WatchEvent[] = [];
      const marks = ['no such text', 'mark'];
      for await (const event of watchEvents(inPieces(`${text}\n`, length), marks)) events.push(event);
      expect(
        events.map(({ type, object, unmarked }) => [type, object.metadata.name, object['status'], unmarked]),
      ).to.deep.equal([
        ['ADDED', 'ours', { text: 'a mark is here' }, undefined],
        ['MODIFIED', 'theirs', undefined, true],
        ['BOOKMARK', 'a', undefined, undefined],
      ]);
    });
  }
});
