import { describe, expect, it } from 'vitest'
import { emptyMatrixDraft, matrixErrors, matrixInput } from '../../src/renderer/pages/benchmarks/matrix-draft.ts'
import { cellAt, failuresOf, isUndecided, shadeOf, speedOf } from '../../src/renderer/pages/benchmarks/matrix-look.ts'
import { matrixTitle } from '../../src/renderer/pages/benchmarks/matrix-title.ts'
import { matrix } from '../backend/report-document-fixture.ts'

const built = matrix()
const [float, int8] = built.models.map(({ id }) => id) as [string, string]
const [pi, orin] = built.devices.map(({ id }) => id) as [string, string]

describe('shadeOf', () => {
  it('goes from the fastest to the slowest cell on a logarithmic scale', () => {
    const strength = (model: string, device: string) => shadeOf(built, cellAt(built, model, device), 'ms')
    expect(strength(float, orin)).toEqual({ tone: 'time', strength: 0 })
    expect(strength(float, pi)).toEqual({ tone: 'time', strength: 1 })
    expect(strength(int8, pi).strength).toBeCloseTo(Math.log(4 / 3.5) / Math.log(10 / 3.5), 9)
    expect(strength(int8, orin)).toEqual({ tone: 'none', strength: 0 })
  })

  it('colours a speed only where its interval excludes 1, and not the first build', () => {
    const faster = cellAt(built, int8, pi)!
    expect(shadeOf(built, faster, 'relative')).toEqual({ tone: 'faster', strength: expect.closeTo(Math.log(2.5) / Math.log(4), 9) })
    expect(shadeOf(built, cellAt(built, float, pi), 'relative').tone).toBe('none')
    const close = {
      ...built,
      cells: built.cells.map((cell) => (cell === faster ? { ...cell, p50Ms: 9.9, p50Ci: [9.7, 10.1] as [number, number] } : cell)),
    }
    expect(isUndecided(speedOf(close, cellAt(close, int8, pi)!)!)).toBe(true)
    expect(shadeOf(close, cellAt(close, int8, pi), 'relative').tone).toBe('none')
    const slower = {
      ...built,
      cells: built.cells.map((cell) => (cell === faster ? { ...cell, p50Ms: 100, p50Ci: [99, 101] as [number, number] } : cell)),
    }
    expect(shadeOf(slower, cellAt(slower, int8, pi), 'relative')).toEqual({ tone: 'slower', strength: 1 })
  })
})

describe('failuresOf', () => {
  it('tells a device that cannot be reached once', () => {
    const error = { code: 'DEVICE_UNREACHABLE', message: 'orin cannot be reached' }
    const cells = built.cells.map((cell) => (cell.deviceId === orin ? { ...cell, error } : cell))
    expect(failuresOf({ cells })).toEqual([{ deviceId: orin, modelIds: [float, int8], error }])
    expect(failuresOf(built)).toMatchObject([{ deviceId: orin, modelIds: [int8], error: { code: 'CONNECTION_LOST' } }])
  })
})

describe('matrixInput', () => {
  const known = { models: [{ id: float }, { id: int8 }], devices: [{ id: 'local' }, { id: pi }] }

  it('asks for what is ticked and still there', () => {
    const draft = {
      ...emptyMatrixDraft(),
      modelIds: [float, '00000000-0000-4000-8000-00000000dead'],
      deviceIds: ['local', orin],
      settings: { runs: 50 },
    }
    const input = matrixInput(draft, known)
    expect(input).toEqual({ modelIds: [float], deviceIds: ['local'], settings: { runs: 50 } })
    expect(matrixErrors(input)).toEqual({})
    expect(matrixInput({ ...draft, datasetId: built.dataset!.id }, known).datasetId).toBe(built.dataset!.id)
  })

  it('names what is missing or out of range', () => {
    expect(Object.keys(matrixErrors(matrixInput(emptyMatrixDraft(), known)))).toEqual(['modelIds'])
    expect(Object.keys(matrixErrors(matrixInput({ ...emptyMatrixDraft(), modelIds: [float], settings: { threads: 0 } }, known)))).toEqual([
      'threads',
    ])
  })
})

describe('matrixTitle', () => {
  it('names what there is one of, and counts the rest', () => {
    expect(matrixTitle(built)).toBe('2 builds on 2 devices')
    expect(matrixTitle({ models: built.models.slice(0, 1), devices: [{ id: 'local', name: 'this-computer', board: null }] })).toBe(
      'fashion-cnn on This computer',
    )
  })
})
