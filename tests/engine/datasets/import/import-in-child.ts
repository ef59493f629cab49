// Imports a dataset in a process of its own and prints its report and how much memory that took.

import { importDataset } from '../../../../src/engine/datasets/import/import-dataset.ts'
import { peakMemoryBytes } from '../../../../src/engine/memory.ts'

const [path = '', outFolder = ''] = process.argv.slice(2)
globalThis.gc?.()
const before = process.memoryUsage.rss()
const { report } = await importDataset({ path, outFolder }, { progress: () => {}, log: () => {} })
process.stdout.write(JSON.stringify({ result: report, growthBytes: peakMemoryBytes() - before }))
