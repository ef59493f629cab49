import { randomUUID } from 'node:crypto'
import { extname, resolve } from 'node:path'
import { type ReportDocument, reportFormatSchema } from '../../contract/report.ts'
import type { HandlersOf } from '../handlers.ts'
import { collectReport, type ReportSources } from '../report/document/collect-report.ts'
import { readReport } from '../report/document/read-report.ts'
import { htmlReport } from '../report/formats/html-report.ts'
import { printPdf } from '../report/pdf/print-pdf.ts'
import { renderReport } from '../report/render-report.ts'
import { writeReport } from '../report/write-report.ts'
import { announce, type Services } from '../services.ts'

/** Reports: made of what was measured, kept as documents, written in any format, read back from .json. */
export function reportHandlers(services: Services): HandlersOf<'report'> & HandlersOf<'reports'> {
  const { reports, layout } = services
  return {
    'report.write': async ({ path, ...choice }) => {
      const createdAt = new Date().toISOString()
      const document = collectReport(sourcesOf(services), choice, { createdAt, edgesmithVersion: layout.version })
      const written = await writeDocument(services, document, path)
      const { id } = reports.add({ id: randomUUID(), origin: 'written', path: written.path, createdAt }, document)
      announce(services, 'reports')
      return { id, ...written }
    },
    'reports.list': () => reports.list(),
    'reports.get': ({ id }) => reports.document(id),
    'reports.render': ({ id, theme }) => ({ html: htmlReport(reports.document(id), { theme, withoutDocument: true }) }),
    'reports.import': async ({ path }) => {
      const source = resolve(path)
      const document = await readReport(source)
      const entry = reports.add({ id: randomUUID(), origin: 'imported', path: source, createdAt: new Date().toISOString() }, document)
      announce(services, 'reports')
      return entry
    },
    'reports.export': async ({ id, path }) => {
      const written = await writeDocument(services, reports.document(id), path)
      reports.setPath(id, written.path)
      announce(services, 'reports')
      return written
    },
    'reports.remove': ({ id }) => {
      reports.remove(id)
      announce(services, 'reports')
      return {}
    },
  }
}

/** Writes a document in the format that the ending of the path names. */
async function writeDocument({ layout }: Services, document: ReportDocument, path: string): Promise<{ path: string; sizeBytes: number }> {
  const format = reportFormatSchema.parse(extname(path).slice(1).toLowerCase())
  const content =
    format === 'pdf'
      ? await printPdf(htmlReport(document, { theme: 'light', unfolded: true, withoutDocument: true }), {
          root: layout.root,
          environment: process.env,
        })
      : renderReport(document, format)
  return writeReport(path, content)
}

function sourcesOf({ measurements, analyses, matrices, validations, models, datasets, devices }: Services): ReportSources {
  return {
    comparison: (id) => measurements.comparison(id),
    benchmark: (id) => measurements.benchmark(id),
    evaluation: (id) => measurements.evaluation(id),
    analysis: (id) => analyses.get(id),
    matrix: (id) => matrices.get(id),
    validation: (id) => validations.get(id),
    models: () => models.list(),
    datasets: () => datasets.list(),
    devices: () => devices.list(),
    latencies: (id) => measurements.latencies(id),
    offsets: (id) => measurements.offsets(id),
  }
}
