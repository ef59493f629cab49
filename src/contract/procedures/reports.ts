import { z } from 'zod'
import { idSchema, pathSchema } from '../names.ts'
import { reportDocumentSchema, reportEntrySchema } from '../report.ts'
import { byId, call, nothing } from './procedure.ts'

/** Where a report is written; the ending decides the format. */
const reportPathSchema = pathSchema.regex(/\.(html|pdf|md|json|csv)$/i, 'reports are written as .html, .pdf, .md, .json or .csv')

/** Reports. */
export const reportProcedures = {
  'report.write': call(
    'Write a report of comparisons, benchmarks, evaluations and analyses; the ending of the path decides the format. It is kept in the workspace',
    z.object({
      comparisonIds: z.array(idSchema).max(50).default([]),
      benchmarkIds: z.array(idSchema).max(200).default([]),
      evaluationIds: z.array(idSchema).max(200).default([]),
      analysisIds: z.array(idSchema).max(50).default([]),
      matrixIds: z.array(idSchema).max(50).default([]),
      validationIds: z.array(idSchema).max(50).default([]),
      title: z.string().trim().min(1).max(200).optional(),
      path: reportPathSchema,
    }),
    z.object({ id: idSchema, path: z.string(), sizeBytes: z.number() }),
  ),
  'reports.list': call('Reports that were written here or imported, newest first', nothing, z.array(reportEntrySchema)),
  'reports.get': call('A report as data', byId, reportDocumentSchema),
  'reports.render': call(
    'A report as one self-contained HTML page; in the colours of the reader’s system unless a theme is given',
    z.object({ id: idSchema, theme: z.enum(['light', 'dark']).optional() }),
    z.object({ html: z.string() }),
  ),
  'reports.import': call('Read a report that was written as .json, here or elsewhere', z.object({ path: pathSchema }), reportEntrySchema),
  'reports.export': call(
    'Write a report of the workspace to a file; the ending of the path decides the format',
    z.object({ id: idSchema, path: reportPathSchema }),
    z.object({ path: z.string(), sizeBytes: z.number() }),
  ),
  'reports.remove': call('Forget a report; files that were written stay', byId, nothing),
} as const
