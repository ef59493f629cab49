import { resolve } from 'node:path'
import { formatBytes, formatCounted } from '../../backend/report/quantities.ts'
import { defineCommand } from '../command.ts'
import { findRuns } from '../measured-runs.ts'
import { required, text } from '../option.ts'
import { shortId } from '../references.ts'
import { reportPath } from '../report-path.ts'

export const reportCommand = defineCommand({
  name: 'report',
  summary: 'Write a report of comparisons, benchmarks, evaluations, analyses, matrices and validations',
  positionals: {
    run: {
      description:
        'id of a comparison, benchmark, evaluation, analysis, matrix, validation or job, or its beginning (edgesmith runs lists them), or "latest"',
      many: true,
    },
  },
  options: {
    out: required(text('FILE', 'the file to write: .html, .pdf, .md, .json or .csv')),
    title: text('TEXT', 'default: what the report holds'),
  },
  notes: ['Every format says the same. A .json can be read again, here or elsewhere: edgesmith report import.'],
  examples: ['report latest --out report.html', 'report 3f2a91c0 77b1d0aa --out boards.pdf'],
  run: async (context, { out, title }, { run: texts }) => {
    const path = reportPath(context.workingFolder, out)
    const runs = await findRuns(context, texts)
    const backend = await context.backend()
    const { id, ...written } = await backend.call('report.write', { ...runs, ...(title !== undefined && { title }), path })
    return {
      document: {
        id,
        ...written,
        comparisons: runs.comparisonIds,
        benchmarks: runs.benchmarkIds,
        evaluations: runs.evaluationIds,
        analyses: runs.analysisIds,
        matrices: runs.matrixIds,
        validations: runs.validationIds,
      },
      text: `Wrote ${written.path} (${formatBytes(written.sizeBytes)})`,
    }
  },
})

export const reportImportCommand = defineCommand({
  name: 'report import',
  summary: 'Read a report that was written as .json, and write it in another format if wanted',
  positionals: { file: { description: 'the .json file' } },
  options: { out: text('FILE', 'also write it to this file: .html, .pdf, .md, .json or .csv') },
  examples: ['report import report.json', 'report import report.json --out report.html'],
  run: async (context, { out }, { file }) => {
    const path = out === undefined ? null : reportPath(context.workingFolder, out)
    const backend = await context.backend()
    const entry = await backend.call('reports.import', { path: resolve(context.workingFolder, file) })
    const written = path === null ? null : await backend.call('reports.export', { id: entry.id, path })
    const { title, comparisons, benchmarks, evaluations, analyses, matrices } = entry
    const content = [
      formatCounted(comparisons, 'comparison'),
      formatCounted(benchmarks, 'benchmark'),
      formatCounted(evaluations, 'evaluation'),
      analyses === 1 ? '1 analysis' : `${analyses} analyses`,
      ...(matrices > 0 ? [matrices === 1 ? '1 matrix' : `${matrices} matrices`] : []),
    ].join(', ')
    return {
      document: { ...entry, ...(written && { written }) },
      text: [
        `Imported "${title}" as ${shortId(entry.id)}: ${content}`,
        ...(written ? [`Wrote ${written.path} (${formatBytes(written.sizeBytes)})`] : []),
      ].join('\n'),
    }
  },
})
