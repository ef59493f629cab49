import { IMAGE_SERVICE } from './dockerfile.ts'

/**
 * A program for the image's Node: asks its own service with its token and ends with 0 when the answer is 200. Images have no curl, and a
 * token on a command line is seen by everybody.
 */
export const healthCheck = `// Asks the service beside it: node health-check.cjs /ready
const { readFileSync } = require('node:fs')
const { get } = require('node:http')

const { EDGESMITH_SERVICE = '${IMAGE_SERVICE}', EDGESMITH_TOKEN, EDGESMITH_TOKEN_FILE } = process.env
const fail = (reason) => {
  console.error(reason)
  process.exit(1)
}
try {
  const { port } = JSON.parse(readFileSync(EDGESMITH_SERVICE + '/service.json', 'utf8'))
  const token = EDGESMITH_TOKEN || readFileSync(EDGESMITH_TOKEN_FILE || EDGESMITH_SERVICE + '/token', 'utf8').trim()
  const path = process.argv[2] || '/health'
  const request = get({ host: '127.0.0.1', port, path, headers: { authorization: 'Bearer ' + token }, timeout: 4000 }, (answer) => {
    answer.resume()
    answer.on('end', () => (answer.statusCode === 200 ? process.exit(0) : fail(path + ' answered ' + answer.statusCode)))
  })
  request.on('timeout', () => fail(path + ' was not answered within 4 s'))
  request.on('error', (error) => fail(error.message))
} catch (error) {
  fail(error.message)
}
`
