// Reads every sample of a dataset in batches of 32, as evaluation does, and says what it took: `node read-all-samples.ts SOURCE.json`.
import { readFileSync } from 'node:fs'
import type { DatasetSource } from '../../../src/contract/dataset.ts'
import { openDataset } from '../../../src/engine/datasets/open-dataset.ts'

const [path = ''] = process.argv.slice(2)
const source = JSON.parse(readFileSync(path, 'utf8')) as DatasetSource
const before = process.memoryUsage.rss()
const dataset = await openDataset(source, [{ name: 'x', type: 'float32', shape: ['N', 52] }])
let sum = 0
for (let first = 0; first < dataset.sampleCount; first += 32) {
  const { x } = dataset.batch(first, Math.min(32, dataset.sampleCount - first))
  const values = x?.values as Float32Array
  for (let at = 0; at < values.length; at += 52) sum += values[at] as number
}
const labels = dataset.labels?.reduce((total, label) => total + label, 0)
dataset.close()
const peakBytes = process.resourceUsage().maxRSS * 1024
console.log(JSON.stringify({ samples: dataset.sampleCount, sum, labels, grownBytes: peakBytes - before }))
