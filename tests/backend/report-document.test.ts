import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { collectReport, type ReportSources } from '../../src/backend/report/document/collect-report.ts'
import { parseReport } from '../../src/backend/report/document/read-report.ts'
import { comparisonTitle, reportTitle } from '../../src/backend/report/document/report-title.ts'
import { summarizeSamples } from '../../src/backend/report/document/sample-summary.ts'
import { renderReport } from '../../src/backend/report/render-report.ts'
import { EdgesmithError } from '../../src/contract/errors.ts'
import { type ReportDocument, reportDocumentSchema } from '../../src/contract/report.ts'
import {
  analyses,
  benchmark,
  classification,
  comparisonDocument,
  fullDocument,
  latenciesAround,
  matrix,
  testId,
  validation,
} from './report-document-fixture.ts'
import { comparison, ids, models, row } from './report-fixture.ts'

describe('summarizeSamples', () => {
  it('counts every sample, and its quantiles are those of the samples', () => {
    const latencies = Float32Array.from({ length: 1001 }, (_, index) => 1 + index / 1000)
    const summary = summarizeSamples(testId('b', 1), latencies, null)
    expect(summary.samples).toBe(1001)
    expect(summary.histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(1001)
    expect(summary.quantilesMs).toHaveLength(201)
    // 1001 evenly spaced values: the quantile at p percent is 1 + p / 100.
    for (const [index, value] of summary.quantilesMs.entries()) expect(value).toBeCloseTo(1 + index / 200, 5)
    expect(summary.mediansMs).toHaveLength(400)
    expect(summary.offsetsMs).toHaveLength(400)
    // Without offsets each sample begins where the one before ended.
    expect(summary.offsetsMs[0]).toBe(0)
    expect(summary.offsetsMs[1]).toBeCloseTo(1 + 1.001, 4)
  })

  it('takes the offsets it is given, and few samples one by one', () => {
    const summary = summarizeSamples(testId('b', 1), Float32Array.of(3, 1, 2), Float64Array.of(0, 10, 25))
    expect(summary.offsetsMs).toEqual([0, 10, 25])
    expect(summary.mediansMs).toEqual([3, 1, 2])
    expect([summary.quantilesMs[0], summary.quantilesMs[100], summary.quantilesMs[200]]).toEqual([1, 2, 3])
  })
})

describe('reportTitle', () => {
  const content = { comparisons: [], benchmarks: [], evaluations: [], analyses: [], matrices: [], validations: [] }

  it('names one comparison, and counts everything else', () => {
    expect(reportTitle({ ...content, comparisons: [comparison()] })).toBe(
      'fashion-cnn int8-static, fashion-cnn prune-magnitude against fashion-cnn on this-computer',
    )
    expect(reportTitle({ ...content, benchmarks: [benchmark(1, ids.int8, 1)], evaluations: [classification(1, ids.int8)] })).toBe(
      '1 benchmark, 1 evaluation',
    )
    // What belongs to the comparison is not counted again.
    const own = benchmark(1, ids.int8, 1, { comparisonId: comparison().id })
    expect(reportTitle({ ...content, comparisons: [comparison()], benchmarks: [own], analyses: analyses().slice(0, 2) })).toBe(
      '1 comparison, 2 analyses',
    )
  })

  it('names one matrix, whose runs are not counted again', () => {
    const own = { ...benchmark(1, ids.int8, 1), id: testId('b', 400) }
    expect(reportTitle({ ...content, matrices: [matrix()], benchmarks: [own] })).toBe('2 builds on 2 devices')
    expect(reportTitle({ ...content, matrices: [matrix(), matrix()], benchmarks: [benchmark(1, ids.int8, 1)] })).toBe(
      '2 matrices, 1 benchmark',
    )
  })

  it('names one validation, and counts several', () => {
    expect(reportTitle({ ...content, validations: [validation()] })).toBe('Validation of classifier on pi5')
    expect(reportTitle({ ...content, validations: [validation(), validation()] })).toBe('2 validations')
  })

  it('stays short', () => {
    const rows = Array.from({ length: 17 }, (_, index) => row(testId('9', index), `a model with quite a long name ${index}`, 1))
    expect(comparisonTitle(comparison({ rows, baselineId: testId('9', 0) }))).toBe('16 models against fashion-cnn on this-computer')
  })
})

describe('collectReport', () => {
  const stamp = { createdAt: '2025-01-02T04:00:00.000Z', edgesmithVersion: '0.1.0' }
  const nothing = { comparisonIds: [], benchmarkIds: [], evaluationIds: [], analysisIds: [], matrixIds: [], validationIds: [] }
  const get =
    <T extends { readonly id: string }>(entries: readonly T[]) =>
    (id: string): T => {
      const entry = entries.find((other) => other.id === id)
      if (!entry) throw new EdgesmithError('NOT_FOUND', `There is no ${id}`)
      return entry
    }

  function sources(changes: Partial<ReportSources> = {}): ReportSources {
    const [first] = comparison().rows
    if (!first) throw new Error('the fixture has rows')
    return {
      comparison: get([comparison()]),
      benchmark: get([
        benchmark(1, ids.int8, 1.15),
        { ...benchmark(2, ids.baseline, 1.4), id: first.benchmarkId, comparisonId: comparison().id },
      ]),
      evaluation: get([classification(1, ids.int8)]),
      analysis: get(analyses()),
      matrix: get([matrix()]),
      validation: get([validation()]),
      models: () => models(),
      datasets: () => [],
      devices: () => [
        {
          id: 'local',
          name: 'this-computer',
          host: null,
          port: null,
          user: null,
          auth: null,
          hostKey: null,
          report: null,
          agentVersion: null,
          fits: true,
          createdAt: stamp.createdAt,
        } as never,
        { id: testId('7', 1), name: 'pi5' } as never,
      ],
      latencies: () => latenciesAround(1.15),
      offsets: () => null,
      ...changes,
    }
  }

  it('takes what was chosen, what that consists of and what it refers to, and no more', () => {
    const document = collectReport(sources(), { ...nothing, comparisonIds: [comparison().id, comparison().id] }, stamp)
    expect(document.comparisons.map(({ id }) => id)).toEqual([comparison().id])
    // The rows share one benchmark in the fixture; its evaluation is no longer there.
    expect(document.benchmarks).toHaveLength(1)
    expect(document.samples.map(({ benchmarkId }) => benchmarkId)).toEqual(document.benchmarks.map(({ id }) => id))
    expect(document.evaluations).toEqual([])
    expect(document.models.map(({ name }) => name)).toEqual(['fashion-cnn', 'fashion-cnn int8-static'])
    expect(document.devices).toEqual([{ id: 'local', name: 'this-computer' }])
    expect(document).toMatchObject({ format: 'edgesmith-report', version: 1, ...stamp })
    const alone = collectReport(sources(), { ...nothing, evaluationIds: [testId('e', 1)], title: 'Mine' }, stamp)
    expect(alone.title).toBe('Mine')
    expect(JSON.stringify(parseReport(JSON.stringify(alone), 'report.json'))).toBe(JSON.stringify(alone))
    // The build's ancestor comes along.
    expect(alone.models.map(({ id }) => id)).toEqual([ids.int8, ids.baseline])
  })

  it('brings the benchmarks of a matrix along, and the models and devices it names', () => {
    const stored = [1000, 400].map((number) => ({
      ...benchmark(1, ids.int8, number / 100),
      id: testId('b', number),
      deviceId: testId('7', 1),
    }))
    const document = collectReport(sources({ benchmark: get(stored) }), { ...nothing, matrixIds: [matrix().id] }, stamp)
    expect(document.title).toBe('2 builds on 2 devices')
    // The third run is no longer stored.
    expect(document.benchmarks.map(({ id }) => id)).toEqual(stored.map(({ id }) => id))
    expect(document.devices.map(({ name }) => name)).toEqual(['pi5'])
    expect(document.models.map(({ id }) => id)).toEqual(expect.arrayContaining([ids.baseline, ids.int8]))
    expect(JSON.stringify(parseReport(JSON.stringify(document), 'report.json'))).toBe(JSON.stringify(document))
    const { matrices: _, ...older } = document
    expect(parseReport(JSON.stringify(older), 'older.json').matrices).toEqual([])
  })

  it('takes a validation with its model and device, and reads reports without any', () => {
    const document = collectReport(sources(), { ...nothing, validationIds: [validation().id] }, stamp)
    expect(document).toMatchObject({ title: 'Validation of classifier on pi5', validations: [validation()], devices: [{ name: 'pi5' }] })
    expect(document.models.map(({ id }) => id)).toEqual([ids.int8, ids.baseline])
    expect(JSON.stringify(parseReport(JSON.stringify(document), 'report.json'))).toBe(JSON.stringify(document))
    const { validations: _, ...older } = document
    expect(parseReport(JSON.stringify(older), 'older.json').validations).toEqual([])
    expect(() => collectReport(sources(), { ...nothing, validationIds: [testId('c', 77)] }, stamp)).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND' }),
    )
  })

  it('leaves drawn graphs out', () => {
    const node = { id: 0, name: 'a', op: 'Conv', layer: null, ms: null, precision: null, sqnrDb: null }
    const drawn = analyses().map((entry) =>
      entry.kind === 'layers'
        ? { ...entry, result: { ...entry.result, buildGraph: { nodes: [node], edges: [], truncated: false } } }
        : entry,
    )
    const document = collectReport(sources({ analysis: get(drawn) }), { ...nothing, analysisIds: [testId('f', 2)] }, stamp)
    expect(document.analyses[0]).toMatchObject({ kind: 'layers', result: { buildGraph: { nodes: [], edges: [], truncated: true } } })
  })

  it('says what is missing', () => {
    expect(() => collectReport(sources(), nothing, stamp)).toThrow(expect.objectContaining({ code: 'USAGE' }))
    expect(() => collectReport(sources(), { ...nothing, benchmarkIds: [testId('b', 77)] }, stamp)).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND' }),
    )
    const broken = () => {
      throw new EdgesmithError('WORKSPACE_INVALID', 'damaged')
    }
    expect(() => collectReport(sources({ evaluation: broken }), { ...nothing, comparisonIds: [comparison().id] }, stamp)).toThrow(
      expect.objectContaining({ code: 'WORKSPACE_INVALID' }),
    )
  })
})

describe('parseReport', () => {
  const refusal = (content: string): string => {
    try {
      parseReport(content, 'report.json')
    } catch (error) {
      expect(error).toMatchObject({ code: 'REPORT_INVALID' })
      return (error as Error).message
    }
    throw new Error('it was accepted')
  }
  const changed = (change: (document: ReportDocument) => unknown): string => {
    const document = fullDocument()
    change(document)
    return JSON.stringify(document)
  }

  it('reads back what was written, and every format then says the same', () => {
    // As it is collected: with its fields in the order of the schema.
    const document = reportDocumentSchema.parse(fullDocument())
    const read = parseReport(renderReport(document, 'json'), 'report.json')
    expect(document).toEqual(fullDocument())
    expect(read).toEqual(document)
    for (const format of ['html', 'md', 'csv', 'json'] as const) expect(renderReport(read, format)).toBe(renderReport(document, format))
  })

  it('completes a report of an older version, and drops what it does not know', () => {
    const text = changed((document) => {
      for (const model of document.models) delete (model as Partial<typeof model>).statedLineage
      Object.assign(document, { later: 1 })
    })
    const read = parseReport(text, 'report.json')
    expect(read.models[0]?.statedLineage).toBeNull()
    expect(read).not.toHaveProperty('later')
  })

  it.each<[string, string, RegExp]>([
    ['text', 'hello', /not JSON/],
    ['an array', '[]', /"format": "edgesmith-report"/],
    ['another document', '{"format":"other"}', /"format": "edgesmith-report"/],
    ['a later version', changed((document) => Object.assign(document, { version: 2 })), /version 1 expected, found 2/],
    ['no version', changed((document) => Object.assign(document, { version: undefined })), /version 1 expected, found none/],
    ['deep nesting', '['.repeat(100_000), /deeper than 32 levels/],
    ['a wrong type', changed((document) => Object.assign(document.benchmarks[0] ?? {}, { loadMs: 'fast' })), /benchmarks\.0\.loadMs: /],
    ['infinite numbers', JSON.stringify(fullDocument()).replace('"loadMs":12.3', '"loadMs":1e999'), /loadMs/],
    ['no list', changed((document) => Object.assign(document, { samples: undefined })), /samples: /],
    [
      'a comparison without baseline',
      changed((document) => document.comparisons[0]?.rows.shift()),
      /comparisons\.0: no row is that of its baseline/,
    ],
    [
      'bins that do not fit their edges',
      changed((document) => document.comparisons[0]?.rows[1]?.histogram.counts.pop()),
      /comparisons\.0: a histogram of 5 bins with 7 edges/,
    ],
    [
      'a confusion matrix that is not square',
      changed((document) => document.evaluations[1]?.classification?.confusion?.pop()),
      /evaluations\.1: a confusion matrix of 15 counts for 4 classes/,
    ],
    [
      'residuals that do not fit',
      changed((document) => document.evaluations[2]?.regression?.residuals.counts.pop()),
      /evaluations\.2: 79 residual counts for 10 × 8 bins/,
    ],
    ['offsets without medians', changed((document) => document.samples[3]?.mediansMs.pop()), /samples\.3: 400 offsets for 399 medians/],
    [
      'too many runs',
      changed((document) => {
        const [first] = document.evaluations
        if (first) document.evaluations = new Array(2001).fill(first)
      }),
      /evaluations: 2001 entries/,
    ],
    ['a title of a megabyte', changed((document) => Object.assign(document, { title: 'x'.repeat(1e6) })), /title: 1000000 characters/],
  ])('refuses %s, and says where', (_name, content, reason) => {
    const message = refusal(content)
    expect(message).toMatch(reason)
    expect(message).toContain('report.json')
    expect(message.length).toBeLessThan(500)
  })

  it('takes any damaged report, or refuses it with that code', () => {
    const whole = JSON.stringify(comparisonDocument())
    const values = fc.oneof(
      fc.double(),
      fc.constantFrom(null, true, '', [], {}, -1, 1e308, 5e-324, 'x'.repeat(1000)),
      fc.string({ maxLength: 20 }),
    )
    fc.assert(
      fc.property(fc.nat(), values, (position, value) => {
        // One value anywhere in the document becomes another.
        const spots: (() => void)[] = []
        const document = JSON.parse(whole) as unknown
        const visit = (node: unknown) => {
          if (typeof node !== 'object' || node === null) return
          for (const key of Object.keys(node)) {
            spots.push(() => Object.assign(node, { [key]: value }))
            visit((node as Record<string, unknown>)[key])
          }
        }
        visit(document)
        spots[position % spots.length]?.()
        let read: ReportDocument
        try {
          read = parseReport(JSON.stringify(document), 'report.json')
        } catch (error) {
          expect(error).toMatchObject({ code: 'REPORT_INVALID' })
          return
        }
        // Whatever was accepted can be drawn.
        const page = renderReport(read, 'html').replace(/<script[\s\S]*<\/script>/, '')
        expect(page).not.toMatch(/="NaN|NaN,|undefined/)
        renderReport(read, 'md')
        renderReport(read, 'csv')
      }),
      { numRuns: 150 },
    )
  })
})
