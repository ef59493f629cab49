// A process of its own for http-server.test.ts: serves on the listening socket it inherited as descriptor 3 until its standard input ends.
import { answerHeads } from '../../../src/agent/http/answer-head.ts'
import { HttpServer } from '../../../src/agent/http/http-server.ts'
import { serviceLimits } from '../../../src/agent/serve/service-limits.ts'

const head = answerHeads(serviceLimits.keepAliveMs)
const body = 'inherited'
const server = new HttpServer({
  limits: serviceLimits,
  request: (request) => {
    const { keepsOpen } = request
    request.answer(
      head({ status: 200, contentType: 'text/plain', bytes: body.length, requestId: null, headers: {}, keepsOpen }),
      body,
      true,
    )
  },
  refusal: () => '',
})
console.log(await server.listen({ host: '127.0.0.1', port: 0, fd: 3 }))
process.stdin.resume().on('end', () => void server.close())
