/**
 * Writes docs/report.schema.json, the JSON schema of a report in its .json form, from the schema the program checks imports with:
 *
 *     node scripts/report-schema.ts
 *
 * A test fails when it was forgotten.
 */
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { reportDocumentSchema } from '../src/contract/report.ts'

export const reportSchemaPath = join(import.meta.dirname, '../docs/report.schema.json')

/** Control characters and separators in a pattern as JSON: validators in other languages, Python's for one, know no \p{…}. */
const UNICODE_CLASSES = String.raw`\\p{Cc}\\p{Zl}\\p{Zp}`
const SAME_AS_RANGES = String.raw`\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029`

/**
 * What is accepted on import: fields that came later may be missing, and unknown ones are left out. A report that is written has all
 * fields.
 */
export function reportJsonSchema(): string {
  const schema = z.toJSONSchema(reportDocumentSchema, { io: 'input', target: 'draft-2020-12' })
  const named = {
    $schema: schema.$schema,
    title: 'Edgesmith report',
    description: 'What edgesmith report --out report.json writes and edgesmith report import reads. Times are milliseconds, sizes bytes.',
    ...schema,
  }
  return `${JSON.stringify(named, null, 2).replaceAll(UNICODE_CLASSES, SAME_AS_RANGES)}\n`
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) writeFileSync(reportSchemaPath, reportJsonSchema())
