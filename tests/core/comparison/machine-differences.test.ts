import { describe, expect, it } from 'vitest'
import { isSameMachine, type MachineState, stateDifferences } from '../../../src/core/comparison/machine-differences.ts'

const pi: MachineState = {
  hostname: 'pi5',
  machine: 'Raspberry Pi 5 Model B Rev 1.0',
  architecture: 'arm64',
  cpu: 'Cortex-A76',
  logicalCores: 4,
  memoryBytes: 8_000_000_000,
  system: 'Debian GNU/Linux 12',
  governor: 'ondemand',
  nodeVersion: 'v22.23.3',
  onnxRuntimeVersion: '1.30.0',
  edgesmithVersion: '0.1.0',
}

describe('isSameMachine', () => {
  it('forgives a little memory and every change of software', () => {
    expect(isSameMachine(pi, { ...pi, memoryBytes: 7_900_000_000, governor: 'performance', onnxRuntimeVersion: '1.31.0' })).toBe(true)
  })

  it('tells boards of one model apart by name, and processors, cores and memory', () => {
    const changes: readonly Partial<MachineState>[] = [
      { hostname: 'pi5-b' },
      { cpu: 'Cortex-A72' },
      { logicalCores: 3 },
      { memoryBytes: 4_000_000_000 },
      { architecture: 'x64' },
    ]
    for (const changed of changes) expect(isSameMachine(pi, { ...pi, ...changed })).toBe(false)
  })
})

describe('stateDifferences', () => {
  it('names what changed and nothing else', () => {
    expect(stateDifferences(pi, pi)).toEqual([])
    expect(stateDifferences(pi, { ...pi, governor: null, onnxRuntimeVersion: '1.31.0' })).toEqual([
      'ONNX Runtime 1.30.0, then 1.31.0',
      'governor ondemand, then unknown',
    ])
  })
})
