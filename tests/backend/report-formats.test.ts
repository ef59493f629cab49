import Papa from 'papaparse'
import { describe, expect, it } from 'vitest'
import { markdownBlocks } from '../../src/backend/report/blocks/markdown-blocks.ts'
import { csvReport } from '../../src/backend/report/formats/csv-report.ts'
import { csvText } from '../../src/backend/report/formats/csv-text.ts'
import { markdownReport } from '../../src/backend/report/formats/markdown-report.ts'
import { comparisonDocument, fullDocument, withHostileText } from './report-document-fixture.ts'

describe('markdownReport', () => {
  it('reads well by itself: title, verdicts, tables, numbers in place of charts', () => {
    const text = markdownReport(fullDocument())
    expect(text.split('\n')[0]).toBe('# Everything there is')
    expect(text).toContain('**fashion-cnn int8-static is the fastest choice: 2.15× the speed of fashion-cnn, no loss of accuracy shown.**')
    expect(text).toContain('| p50, 95 % interval | 1.39 ms – 1.41 ms | 1.14 ms – 1.16 ms | 1.44 ms – 1.46 ms |')
    expect(text).toContain('| true class | 0 dot | 1 line | 2 ring | 3 star |')
    expect(text).toContain('| QLinearConv | 4 | 0.800 ms | 80.00 % |')
    expect(text).not.toMatch(/<svg|<div|aria-label/)
    expect(text).toMatch(
      /\| fashion-cnn int8-static \| 4\.00 ms \| 3\.92 ms – 4\.08 ms \| 2\.50× \(2\.40× – 2\.60×\) \|.*\| 21\.5 mJ, 8\.25 mJ of it above idle \| 91\.20 % \|/,
    )
    expect(text).toContain('orin, fashion-cnn int8-static: CONNECTION\\_LOST: The connection to the device broke')
    expect(text).toContain('## Outputs of fashion-cnn int8-static on pi5 against this computer’s')
    expect(text).toMatch(/\| conv2 \| Conv \| 38\.2 dB \| 106\.3 dB \| 0\.210 \|\n\| gemm \|/)
  })

  it('keeps code in its cell, whatever backslashes and bars it holds', () => {
    const cells = [{ kind: 'code' as const, text: 'a\\|<img src=x>' }, 'b']
    const row = markdownBlocks([{ kind: 'table', columns: [{ title: 'x' }, { title: 'y' }], rows: [cells] }])
      .split('\n')
      .at(-1)
    expect(row).toBe('| `a\\ \\|<img src=x>` | b |')
  })

  it('has no empty headings', () => {
    const lines = markdownReport(fullDocument())
      .split('\n')
      .filter((line) => line !== '')
    const levels = lines.map((line) => /^(#+) /.exec(line)?.[1]?.length ?? 0)
    for (const [index, level] of levels.entries()) {
      if (level === 0) continue
      const next = levels[index + 1] ?? level
      expect(next === 0 || next > level, `"${lines[index]}" holds nothing`).toBe(true)
    }
  })

  it('writes tables whose rows have as many cells as their heads', () => {
    const cells = (line: string) => line.replace(/\\\|/g, '').split('|').length
    let width = 0
    let tables = 0
    for (const line of markdownReport(withHostileText(fullDocument())).split('\n')) {
      if (!line.startsWith('|')) {
        width = 0
        continue
      }
      if (width === 0) tables++
      width ||= cells(line)
      expect(cells(line), line).toBe(width)
    }
    expect(tables).toBeGreaterThan(10)
  })

  it('lets no text become markup', () => {
    const text = markdownReport(withHostileText(fullDocument()))
    // Outside code spans, where nothing is markup, every sign that could begin one is escaped.
    const outside = text.replace(/`[^`\n]*`/g, '')
    expect(outside).not.toMatch(/(?<!\\)<|(?<!\\)\[a\\?\]\(|(?<!\\)\*\*c/)
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(text).toContain('\\<script>alert(1)\\</script>')
  })
})

describe('csvReport', () => {
  const parse = (text: string) => Papa.parse<string[]>(text, { skipEmptyLines: true })

  it('is one table of numbers with their intervals and units', () => {
    const { data, errors } = parse(csvReport(fullDocument()))
    expect(errors).toEqual([])
    const [header, ...rows] = data
    expect(header).toEqual(['kind', 'run', 'model', 'device', 'dataset', 'part', 'metric', 'value', 'low', 'high', 'unit'])
    expect(new Set(rows.map((row) => row.length))).toEqual(new Set([11]))
    const find = (kind: string, metric: string, model = 'fashion-cnn int8-static') =>
      rows.find((row) => row[0] === kind && row[2] === model && row[6] === metric)?.slice(7)
    expect(find('comparison', 'speedup')).toEqual(['2.15', '2.1', '2.2', 'ratio'])
    expect(find('comparison', 'accuracy')).toEqual(['0.912', '0.8988', '0.9237', 'share'])
    expect(find('benchmark', 'latency.p50', 'fashion-cnn')).toEqual(['1.4', '1.386', '1.414', 'ms'])
    expect(find('benchmark', 'answeredRate')).toEqual(['199.2', '', '', '1/s'])
    expect(find('evaluation', 'r2')).toEqual(['0.912', '0.9', '0.923', ''])
    expect(find('accuracy', 'accuracyDifference')).toEqual(['-0.023', '-0.041', '-0.006', 'share'])
    expect(find('matrix', 'latency.p50')).toEqual(['4', '3.92', '4.08', 'ms'])
    expect(find('matrix', 'speedAgainstFirst')?.map(Number)).toEqual([
      2.5,
      expect.closeTo(9.8 / 4.08, 9),
      expect.closeTo(10.2 / 3.92, 9),
      Number.NaN,
    ])
    expect(find('validation', 'passed.load')).toEqual(['0', '', '', ''])
    expect(find('validation', 'passed.golden answers')).toBeUndefined()
    expect(find('validation', 'latency.p99')).toEqual(['64', '', '', 'ms'])
    expect(find('matrix', 'energyNet')).toEqual(['8.25', '', '', 'mJ'])
    expect(find('parity', 'agreement')).toEqual(['0.984375', '', '', 'share'])
    expect(new Set(rows.map(([kind]) => kind))).toEqual(
      new Set(['comparison', 'benchmark', 'evaluation', 'profile', 'layers', 'slowdown', 'accuracy', 'parity', 'matrix', 'validation']),
    )
    for (const row of rows) expect(Number.isFinite(Number(row[7])), row.join()).toBe(true)
  })

  it('gives a spreadsheet nothing to run', () => {
    const { data } = parse(csvReport(withHostileText(fullDocument())))
    for (const row of data) for (const cell of row) expect(cell).not.toMatch(/^[=+@\t\r]|^-(?!\d)/)
    expect(data.some((row) => row[2]?.startsWith(`'=1+1`))).toBe(true)
  })

  it('keeps negative numbers numbers, and quotes what needs it', () => {
    expect(csvText([['-a', -1.5, 'b,"c"', Number.NaN, '\t=x']])).toBe(`'-a,-1.5,"b,""c""",,'\t=x\r\n`)
  })

  it('leaves out what was not measured', () => {
    const rows = parse(csvReport(comparisonDocument())).data
    expect(rows.some((row) => row[6] === 'latency.p99')).toBe(false)
    expect(rows.some((row) => row[6] === 'latency.p95')).toBe(true)
  })
})
