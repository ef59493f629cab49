import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { headEnd } from '../../../src/agent/http/head-end.ts'
import { parseRequestHead, type RequestHead } from '../../../src/agent/http/request-head.ts'

/** The head of a GET with these lines, read where it stands in the middle of other bytes. */
function headWith(...lines: readonly string[]): RequestHead {
  const before = 'before'
  const bytes = Buffer.from(`${before}${['GET / HTTP/1.1', 'Host: a', ...lines].join('\r\n')}\r\n\r\nbody: 1\r\n\r\n`, 'latin1')
  return parseRequestHead(bytes, before.length, bytes.indexOf('\r\n\r\n'), 20)
}

describe('headers', () => {
  it('may be called like something every object has', () => {
    const { headers } = headWith('__proto__: 1', 'constructor: 2', 'toString: 3')
    expect(Object.entries(headers)).toEqual(Object.entries({ host: 'a', ['__proto__']: '1', constructor: '2', tostring: '3' }))
    expect(['__proto__', 'constructor', 'hasOwnProperty'].map((name) => headWith().headers[name])).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('are found by their names in lower case, however they are written', () => {
    const names = ['authorization', 'content-type', 'x-request-id', 'x-request-timeout-ms', 'x-other', 'x_request_id', 'x-request-i^']
    for (const name of names) {
      for (const written of [name, name.toUpperCase(), name.replace(/^./, (letter) => letter.toUpperCase())]) {
        expect(headWith(`${written}: V v`).headers, written).toEqual({ host: 'a', [name]: 'V v' })
      }
    }
  })

  it('take a length that is a whole number which can be told exactly', () => {
    expect(headWith('Content-Length: 999999999999999').contentLength).toBe(999_999_999_999_999)
    expect(headWith('Content-Length: 007').contentLength).toBe(7)
    for (const text of ['', '1000000000000000', '1e3', '-1', '+1', '0x10', '1 2', '1,1', '٣']) {
      expect(() => headWith(`Content-Length: ${text}`), text).toThrow(expect.objectContaining({ kind: 'malformed' }))
    }
  })
})

it('a head ends at the first empty line, wherever its bytes stand', () => {
  const bytes = fc
    .array(fc.constantFrom('\r', '\n', '\r\n', '\r\n\r\n', 'a', 'abc'), { maxLength: 12 })
    .map((parts) => Buffer.from(parts.join('')))
  fc.assert(
    fc.property(bytes, fc.nat(4), (input, start) => {
      expect(headEnd(input, start)).toBe(input.indexOf('\r\n\r\n', start))
    }),
    { numRuns: 1000 },
  )
})
