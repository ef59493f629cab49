// The yardstick of bench/server.ts: node:http that receives and parses a JSON body and answers JSON of the same size as ours, without checks and
// without inference. `node bare-server.mjs` prints its port.
import { createServer } from 'node:http'

const answer = JSON.stringify({ version: '0123456789ab', outputs: { y: [0.123456] }, latency_ms: 0.123456 })

const server = createServer((request, response) => {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    JSON.parse(Buffer.concat(chunks).toString('utf8'))
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length })
    response.end(answer)
  })
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
