import { readFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { reportJsonSchema, reportSchemaPath } from '../../scripts/report-schema.ts'
import { renderReport } from '../../src/backend/report/render-report.ts'
import { comparisonDocument, fullDocument } from './report-document-fixture.ts'

describe('docs/report.schema.json', () => {
  it('is up to date: node scripts/report-schema.ts writes it', async () => {
    expect(await readFile(reportSchemaPath, 'utf8')).toBe(reportJsonSchema())
  })

  it('accepts what is written, and refuses what is not of that form', () => {
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(JSON.parse(reportJsonSchema()))
    for (const document of [fullDocument(), comparisonDocument()]) {
      expect(validate(JSON.parse(renderReport(document, 'json'))), JSON.stringify(validate.errors)).toBe(true)
    }
    expect(validate({ ...fullDocument(), format: 'other' })).toBe(false)
    expect(validate({ ...fullDocument(), samples: undefined })).toBe(false)
    const [first, ...rest] = fullDocument().benchmarks
    expect(validate({ ...fullDocument(), benchmarks: [{ ...first, loadMs: 'fast' }, ...rest] })).toBe(false)
  })
})
