// The yardstick of bench/server.ts for larger models: runs a model of 52 features one run after the other for some seconds, and prints the median in ms.
// `node bench/bare-model.ts model.onnx SECONDS`. No server can be faster.
import { readFile } from 'node:fs/promises'
import { percentileOfSorted } from '../src/core/statistics/percentiles.ts'
import { onnxRuntime } from '../src/engine/runtimes/onnx-runtime.ts'

const [modelPath, seconds] = process.argv.slice(2)
const model = await onnxRuntime.load(await readFile(modelPath as string), { intraOpThreads: 1 })
const feeds = { x: { type: 'float32', dims: [1, 52], values: new Float32Array(52) } } as const
for (let run = 0; run < 20; run++) await model.run(feeds)
const times: number[] = []
const end = performance.now() + Number(seconds) * 1000
while (performance.now() < end) {
  const start = performance.now()
  await model.run(feeds)
  times.push(performance.now() - start)
}
console.log(percentileOfSorted(Float64Array.from(times).sort(), 50))
