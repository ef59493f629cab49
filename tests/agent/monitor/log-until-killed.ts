// Logs predictions until it is killed; says how many rows are written. Arguments: path, bytes, values of a row.
import { Worker } from 'node:worker_threads'
import { PredictionLog } from '../../../src/agent/monitor/prediction-log.ts'
import { jsonLog } from '../../../src/agent/serve/service-log.ts'
import { observed } from './observed.ts'

const [path, bytes, values] = process.argv.slice(2)
const log = new PredictionLog({
  settings: { path: path as string, share: 1, days: 30, bytes: Number(bytes) },
  log: jsonLog((line) => process.stdout.write(line)),
  startThread: (options) => new Worker(new URL('./prediction-log-worker.ts', import.meta.url), options),
})
let row = 0
let told = -1
function turn(): void {
  for (let count = 0; count < 100; count++) log.predicted(observed(new Float32Array(Number(values)).fill(row++ % 1000), Date.now()))
  const { writtenRows, droppedRows, error } = log.state
  if (writtenRows !== told) process.stdout.write(`${JSON.stringify({ writtenRows, droppedRows, isStopped: error !== null })}\n`)
  told = writtenRows
  setTimeout(turn, 1)
}
turn()
