import { describe, expect, it } from 'vitest'
import { isAtLeast, tensorRtVersion, tensorRtVersionText } from '../../../src/core/tensorrt/trtexec-version.ts'

describe('tensorRtVersion', () => {
  it.each([
    ['&&&& RUNNING TensorRT.trtexec [TensorRT v7103] # trtexec', '7.1.3'],
    ['&&&& RUNNING TensorRT.trtexec [TensorRT v8001] # trtexec', '8.0.1'],
    ['&&&& RUNNING TensorRT.trtexec [TensorRT v8412] # trtexec', '8.4.12'],
    ['&&&& RUNNING TensorRT.trtexec [TensorRT v8502] # trtexec --help', '8.5.2'],
    ['&&&& RUNNING TensorRT.trtexec [TensorRT v9300] # trtexec', '9.3.0'],
    ['&&&& RUNNING TensorRT.trtexec [TensorRT v100300] # trtexec', '10.3.0'],
    ['&&&& RUNNING TensorRT.trtexec [TensorRT v101602] [b10] # trtexec', '10.16.2'],
    ['&&&& RUNNING TensorRT.trtexec [TensorRT v110100] [b5] # trtexec', '11.1.0'],
  ])('%s', (banner, version) => {
    expect(tensorRtVersionText(tensorRtVersion(`some line\n${banner}\nmore`))).toBe(version)
  })

  it('has none where the banner has no number', () => {
    expect(tensorRtVersion('&&&& RUNNING TensorRT.trtexec # /usr/src/tensorrt/bin/trtexec --help')).toBeUndefined()
    expect(tensorRtVersionText(undefined)).toBe('7 or older')
  })

  it('compares major and minor', () => {
    const version = { major: 8, minor: 4, patch: 1 }
    expect([isAtLeast(version, 8, 4), isAtLeast(version, 8, 5), isAtLeast(version, 7, 9), isAtLeast(version, 10, 0)]).toEqual([
      true,
      false,
      true,
      false,
    ])
    expect(isAtLeast(undefined, 7, 0)).toBe(false)
  })
})
