// A process that evaluates a model on a few samples, then on a whole dataset, and tells by how much the second needed more memory.
import { readFileSync, writeFileSync } from 'node:fs'
import { encodeWire } from '../../../src/contract/agent-wire.ts'
import type { DatasetSource } from '../../../src/contract/dataset.ts'
import { evaluate } from '../../../src/engine/measure/evaluate.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'

const [orderPath, resultPath] = process.argv.slice(2) as [string, string]
const { model, few, all }: { model: string; few: DatasetSource; all: DatasetSource } = JSON.parse(readFileSync(orderPath, 'utf8'))
const context = { reporter: { progress: () => {}, log: () => {} }, signal: new AbortController().signal, edgesmithVersion: '1.2.3' }
const run = (dataset: DatasetSource) => evaluate({ model, dataset, batch: 32, threads: 1 }, onnxRuntime, context)
const peakBytes = () => process.resourceUsage().maxRSS * 1024

await run(few)
const before = peakBytes()
const { task, samples, metrics, classification, perSample } = await run(all)
const grownBytes = peakBytes() - before
writeFileSync(resultPath, encodeWire({ task, samples, metrics, classification, perSample, grownBytes }))
