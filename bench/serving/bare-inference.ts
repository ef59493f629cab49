// The yardstick of bench/worker-pool.ts: the least that serves a model with `node:http`. Reads {"input": [52 numbers]}, runs the model on the thread that
// answers, writes the outputs. No checks, no token, no counts; nobody else is answered during a run. `node bench/serving/bare-inference.ts model.onnx`
// prints its port.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onnxRuntime } from '../../src/engine/runtimes/onnx-runtime.ts'

const model = await onnxRuntime.load(await readFile(process.argv[2] as string))
const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (text: string) => {
    body += text
  })
  request.on('end', async () => {
    const { input } = JSON.parse(body) as { input: number[] }
    const { y } = await model.run({ x: { type: 'float32', dims: [1, input.length], values: Float32Array.from(input) } })
    const text = JSON.stringify({ outputs: { y: Array.from(y?.values as Float32Array) } })
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length })
    response.end(text)
  })
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
