import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import '../../fuzz-seed.ts'
import { hasOption, readTrtexecHelp } from '../../../src/core/tensorrt/trtexec-help.ts'
import { fixtureText, helpVersions, trtexecOf } from './fixture-text.ts'

/** Which of the options that decide something each version has (and still means). */
const golden: Record<(typeof helpVersions)[number], string[]> = {
  '7.1': ['explicitBatch', 'workspace', 'fp16', 'int8', 'buildOnly', 'useSpinWait'],
  '8.0': ['explicitBatch', 'workspace', 'fp16', 'int8', 'timingCacheFile', 'buildOnly', 'useSpinWait', 'noDataTransfers'],
  '8.2': ['workspace', 'fp16', 'int8', 'timingCacheFile', 'buildOnly', 'useSpinWait', 'noDataTransfers'],
  '8.4': ['workspace', 'memPoolSize', 'fp16', 'int8', 'timingCacheFile', 'buildOnly', 'useSpinWait', 'noDataTransfers'],
  '8.5': ['workspace', 'memPoolSize', 'fp16', 'int8', 'timingCacheFile', 'buildOnly', 'useSpinWait', 'noDataTransfers'],
  '8.6': ['workspace', 'memPoolSize', 'fp16', 'int8', 'timingCacheFile', 'skipInference', 'useSpinWait', 'noDataTransfers'],
  '10.3': ['memPoolSize', 'fp16', 'int8', 'stronglyTyped', 'timingCacheFile', 'skipInference', 'useSpinWait', 'noDataTransfers'],
  '10.13': ['memPoolSize', 'fp16', 'int8', 'stronglyTyped', 'timingCacheFile', 'skipInference', 'useSpinWait', 'noDataTransfers'],
  '11.1': ['memPoolSize', 'timingCacheFile', 'skipInference', 'includeDataTransfers', 'noCudaGraph'],
}
const deciding = [...new Set(Object.values(golden).flat())]

describe('readTrtexecHelp', () => {
  it.each(helpVersions)('finds the options of %s', (version) => {
    const { help } = trtexecOf(version)
    const found = deciding.filter((name) => hasOption(help, `--${name}`))
    expect(found.sort()).toEqual([...golden[version]].sort())
    // In all of them.
    for (const name of [
      'onnx',
      'saveEngine',
      'loadEngine',
      'minShapes',
      'optShapes',
      'maxShapes',
      'shapes',
      'warmUp',
      'duration',
      'iterations',
      'avgRuns',
      'exportTimes',
    ]) {
      expect(hasOption(help, `--${name}`), name).toBe(true)
    }
    // No option is made of the text around them.
    for (const name of help.keys()) expect(fixtureText(`help-${version}.txt`)).toMatch(new RegExp(`^ {1,4}.*${name}`, 'm'))
  })

  it('knows defaults, second names and what is deprecated', () => {
    const old = trtexecOf('8.2').help
    expect(old.get('--warmUp')?.defaultValue).toBe('200')
    expect(old.get('--duration')?.defaultValue).toBe('3')
    expect(old.get('--iterations')?.defaultValue).toBe('10')
    const recent = trtexecOf('10.3').help
    expect(recent.get('--vc')).toEqual(recent.get('--versionCompatible'))
    expect(recent.get('--vc')?.description).toMatch(/^Mark the engine as version compatible\. This allows/)
    const newest = trtexecOf('11.1').help
    expect(newest.get('--useSpinWait')).toMatchObject({ deprecated: true })
    expect(hasOption(newest, '--stronglyTyped')).toBe(false)
    expect(newest.has('--fp16')).toBe(false)
  })

  it('passes over banner and log lines', () => {
    const banner = '&&&& RUNNING TensorRT.trtexec [TensorRT v8502] # /usr/src/tensorrt/bin/trtexec --help\n'
    const text = `${banner}[11/20/2024-17:35:22] [W] --workspace flag has been deprecated by --memPoolSize flag.\n${fixtureText('help-8.5.txt')}`
    expect(readTrtexecHelp(text)).toEqual(trtexecOf('8.5').help)
    expect(readTrtexecHelp('Usage: something else\n  -x, --not-trtexec').size).toBe(0)
  })

  it('takes any text', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('  --onnx=<file>  ONNX model', '=== Help ===', '  --a, --b  x (default = 3)', '      more', '--'),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        for (const [name, option] of readTrtexecHelp(pieces.join('\n'))) {
          expect(name).toMatch(/^--[A-Za-z]/)
          expect(option.description.length).toBeLessThanOrEqual(10_000)
        }
      }),
    )
  })
})
