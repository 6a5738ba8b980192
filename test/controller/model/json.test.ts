import { expect } from 'chai';
import * as fc from 'fast-check';
import { parseInstant } from '../../../controller/model/instant.ts';
import { asArray, asObject, asText, asTextMap } from '../../../controller/model/json.ts';

describe('reading JSON of others', () => {
  it('never throws and always gives the type that was asked for', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(asObject(value)).to.be.an('object');
        expect(Array.isArray(asArray(value))).to.equal(true);
        expect(['string', 'undefined']).to.include(typeof asText(value));
        expect(Object.values(asTextMap(value)).every((it) => typeof it === 'string')).to.equal(true);
      }),
    );
  });

  it('an array is no object', () => expect(asObject(['a'])).to.deep.equal({}));
  it('a text map leaves out what is no text', () => expect(asTextMap({ a: 'b', c: 1 })).to.deep.equal({ a: 'b' }));
});

describe('parseInstant', () => {
  const cases: readonly (readonly [string | undefined, number | undefined])[] = [
    ['1970-01-01T00:00:01Z', 1000],
    ['1970-01-01T00:00:00.250Z', 250],
    ['1970-01-01T01:00:00+01:00', 0],
    ['yesterday', undefined],
    ['', undefined],
    [undefined, undefined],
  ];
  for (const [text, instant] of cases) {
    it(`${text} is ${instant}`, () => expect(parseInstant(text)).to.equal(instant));
  }
});
