import { formatBytes } from '../../backend/report/quantities.ts'
import { defineCommand } from '../command.ts'
import { required, text } from '../option.ts'
import { findComparison } from '../references.ts'
import { reportPath } from '../report-path.ts'

export const reportCommand = defineCommand({
  name: 'report',
  summary: 'Write comparisons as a self-contained HTML report',
  positionals: { run: { description: 'id of a comparison or its beginning (edgesmith runs lists them), or "latest"', many: true } },
  options: { out: required(text('FILE', 'the .html file to write')) },
  examples: ['report latest --out report.html', 'report 3f2a91c0 77b1d0aa --out boards.html'],
  run: async (context, options, { run: runs }) => {
    const path = reportPath(context.workingFolder, options.out)
    const ids = new Set<string>()
    for (const run of runs) ids.add((await findComparison(context, run)).id)
    const backend = await context.backend()
    const written = await backend.call('report.write', { comparisonIds: [...ids], path })
    return {
      document: { ...written, comparisons: [...ids] },
      text: `Wrote ${written.path} (${formatBytes(written.sizeBytes)})`,
    }
  },
})
