import { describe, expect, it } from 'vitest'
import { withReportEnding } from '../../src/main/report-ending.ts'
import { contentsText } from '../../src/renderer/pages/reports/contents-text.ts'
import {
  chosenIds,
  filterChoices,
  type Measured,
  type ReportChoice,
  reportChoices,
} from '../../src/renderer/pages/reports/report-choices.ts'
import { reportFileName } from '../../src/renderer/pages/reports/report-formats.ts'

const choice = (kind: ReportChoice['kind'], id: string, title: string, note = ''): ReportChoice => ({
  kind,
  id,
  title,
  note,
  createdAt: '2026-01-01T00:00:00.000Z',
})

describe('reportChoices', () => {
  const run = (id: string, comparisonId: string | null, createdAt: string) => ({
    id,
    comparisonId,
    createdAt,
    modelId: 'm1',
    deviceId: 'local',
    settings: { scenario: 'single' },
    latencyMs: { p50: 1.5 },
  })
  const measured = {
    comparisons: [{ id: 'c', baseline: 'cnn', rows: [{}, {}, {}], device: 'this computer', createdAt: '2026-01-02T00:00:00.000Z' }],
    benchmarks: [
      run('b1', null, '2026-01-03T00:00:00.000Z'),
      run('b2', 'c', '2026-01-02T00:00:00.000Z'),
      run('b3', null, '2026-01-05T00:00:00.000Z'),
    ],
    evaluations: [
      {
        id: 'e',
        modelId: 'gone',
        datasetName: 'test',
        deviceId: 'local',
        comparisonId: null,
        metrics: { accuracy: 0.915 },
        createdAt: '2026-01-01T00:00:00.000Z',
      },
    ],
    analyses: [{ id: 'a', kind: 'profile', modelId: 'm1', baselineId: null, deviceId: 'x', createdAt: '2026-01-04T00:00:00.000Z' }],
    matrices: [
      {
        id: 'x',
        models: [{ id: 'm1', name: 'cnn' }],
        devices: [
          { id: 'local', name: 'this-computer' },
          { id: 'p', name: 'pi5' },
        ],
        cells: [{ benchmarkId: 'b3', evaluationId: null }],
        createdAt: '2026-01-05T00:00:00.000Z',
      },
    ],
    validations: [{ id: 'v', service: 'fashion', model: 'cnn', device: 'pi5', passed: false, createdAt: '2026-01-06T00:00:00.000Z' }],
    models: [{ id: 'm1', name: 'cnn' }],
    devices: [{ id: 'local', name: 'this computer' }],
  } as unknown as Measured

  it('lists what was measured, newest first, without the parts of comparisons', () => {
    expect(reportChoices(measured).map(({ id, title, note }) => [id, title, note])).toEqual([
      ['v', 'fashion with cnn', 'not passed, pi5'],
      ['x', 'cnn on 2 devices', 'this-computer, pi5'],
      ['a', 'cnn', 'profile, a removed device'],
      ['b1', 'cnn', 'single, p50 1.50 ms, this computer'],
      ['c', 'cnn and 2', 'this computer'],
      ['e', 'a removed model on test', 'accuracy 91.50%, this computer'],
    ])
  })
})

describe('filterChoices', () => {
  it('wants every word, anywhere', () => {
    const choices = [choice('benchmark', '1', 'fashion-cnn', 'server, p50 2 ms'), choice('comparison', '2', 'fashion-mobilenet and 2')]
    expect(filterChoices(choices, ' Server fashion ').map(({ id }) => id)).toEqual(['1'])
    expect(filterChoices(choices, 'comparison').map(({ id }) => id)).toEqual(['2'])
    expect(filterChoices(choices, '')).toHaveLength(2)
  })
})

describe('chosenIds', () => {
  it('sorts ids by what they name', () => {
    expect(chosenIds([choice('analysis', '1', ''), choice('comparison', '2', ''), choice('analysis', '3', '')])).toEqual({
      comparisonIds: ['2'],
      benchmarkIds: [],
      evaluationIds: [],
      analysisIds: ['1', '3'],
      matrixIds: [],
      validationIds: [],
    })
  })
})

describe('contentsText', () => {
  it('counts what there is', () => {
    const entry = { id: '', title: '', origin: 'written' as const, path: null, createdAt: '' }
    expect(contentsText({ ...entry, comparisons: 1, benchmarks: 3, evaluations: 0, analyses: 1, matrices: 1, validations: 0 })).toBe(
      '1 comparison, 3 benchmarks, 1 analysis, 1 matrix',
    )
    expect(contentsText({ ...entry, comparisons: 0, benchmarks: 0, evaluations: 0, analyses: 0, matrices: 0, validations: 0 })).toBe(
      'nothing measured',
    )
  })
})

describe('report files', () => {
  it('makes a file name of any title', () => {
    expect(reportFileName('fashion-cnn: int8 / fp16?', 'pdf')).toBe('fashion-cnn int8 fp16.pdf')
    expect(reportFileName('../../etc', 'md')).toBe('etc.md')
    expect(reportFileName('???', 'json')).toBe('report.json')
  })

  it('keeps an ending that is a format and adds one that is missing', () => {
    expect(withReportEnding('/d/a.PDF', 'report.html')).toBe('/d/a.PDF')
    expect(withReportEnding('/d/a.v2', 'report.csv')).toBe('/d/a.v2.csv')
    expect(withReportEnding('/d/a', 'report')).toBe('/d/a.html')
  })
})
