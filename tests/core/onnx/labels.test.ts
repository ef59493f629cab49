import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findLabels, parseLabels } from '../../../src/core/onnx/labels.ts'

describe('class names in metadata', () => {
  test.each<[string, string, string[]]>([
    ['a JSON array', '["cat", "dog"]', ['cat', 'dog']],
    ['a JSON object by index', '{"1": "dog", "0": "cat"}', ['cat', 'dog']],
    [
      'a Python dict, as Ultralytics writes it',
      "{0: 'person', 1: 'bicycle', 2: \"driver's seat\"}",
      ['person', 'bicycle', "driver's seat"],
    ],
    ['a Python list with a comma at the end', "['cat', 'dog',]", ['cat', 'dog']],
    ['a Python tuple', "('cat', 'dog')", ['cat', 'dog']],
    ['lines', 'cat\ndog\r\nbird\n', ['cat', 'dog', 'bird']],
    ['commas', 'cat, dog,bird', ['cat', 'dog', 'bird']],
    ['escapes', String.raw`["a\"b", 'it\'s', "\u00e9"]`, ['a"b', "it's", 'é']],
    ['names with commas and colons', '["tench, Tinca tinca", "a: b"]', ['tench, Tinca tinca', 'a: b']],
  ])('%s', (_, text, labels) => {
    expect(parseLabels(text)).toEqual(labels)
  })

  test.each([
    ['a number of classes', '10'],
    ['a file name', 'labels.txt'],
    ['nothing', ''],
    ['an empty list', '[]'],
    ['gaps', "{0: 'cat', 2: 'dog'}"],
    ['an index twice', "{0: 'cat', 0: 'dog'}"],
    ['no indices', '{"cat": 0, "dog": 1}'],
    ['names by name', '{"a": "cat"}'],
    ['nested lists', '[["cat"], ["dog"]]'],
    ['numbers', '[1, 2]'],
    ['an open bracket', '["cat", "dog"'],
    ['code', "__import__('os').system('x')"],
    ['brackets that do not match', '["cat"}'],
    ['empty names', '["", "dog"]'],
    ['too many names', JSON.stringify(Array.from({ length: 100_001 }, (__, index) => `c${index}`))],
  ])('%s are no class names', (_, text) => {
    expect(parseLabels(text)).toBeNull()
  })

  test('our own key comes first', () => {
    expect(
      findLabels(
        new Map([
          ['names', "['a','b']"],
          ['edgesmith.labels', '["c","d"]'],
        ]),
      ),
    ).toEqual(['c', 'd'])
    expect(
      findLabels(
        new Map([
          ['classes', '7'],
          ['names', "['a','b']"],
        ]),
      ),
    ).toEqual(['a', 'b'])
    expect(findLabels(new Map([['author', 'me']]))).toBeNull()
  })

  test('whatever JSON.stringify writes is read back', () => {
    const label = fc.string({ minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 5 }), (labels) => {
        expect(parseLabels(JSON.stringify(labels))).toEqual(labels)
      }),
    )
  })

  test('any text gives names or null', () => {
    const text = fc.string({ unit: fc.constantFrom(...`[]{}(),:'"\\ab0 \n`), maxLength: 200 })
    fc.assert(
      fc.property(text, (value) => {
        for (const label of parseLabels(value) ?? []) expect(label).not.toBe('')
      }),
    )
  })
})
