import { IMAGE_AGENT, IMAGE_SERVICE } from './dockerfile.ts'

/**
 * The first program of a container, for the image's Node: no shell is needed. The server keeps its state beside the service's files, which
 * an image holds read-only; so it gets a folder of its own with copies of the small ones and links to the models. It becomes the server itself:
 * signals reach it.
 */
export const launcher = `// Serves the service in a folder that nothing is written to: node launch.cjs ${IMAGE_SERVICE}
const { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync } = require('node:fs')
const { join } = require('node:path')

const { EDGESMITH_TOKEN, EDGESMITH_TOKEN_FILE, EDGESMITH_STATE_FOLDER = '/tmp/edgesmith' } = process.env
const service = process.argv[2] || '${IMAGE_SERVICE}'
const state = EDGESMITH_STATE_FOLDER
try {
  if (!EDGESMITH_TOKEN && EDGESMITH_TOKEN_FILE) process.env.EDGESMITH_TOKEN = readFileSync(EDGESMITH_TOKEN_FILE, 'utf8').trim()
  if (!process.env.EDGESMITH_TOKEN) throw new Error('set EDGESMITH_TOKEN, or EDGESMITH_TOKEN_FILE to a file with the token')
  rmSync(join(state, 'releases'), { recursive: true, force: true })
  rmSync(join(state, 'state.json'), { force: true })
  for (const id of readdirSync(join(service, 'releases'))) {
    mkdirSync(join(state, 'releases', id), { recursive: true })
    for (const name of readdirSync(join(service, 'releases', id))) {
      const [from, to] = [join(service, 'releases', id, name), join(state, 'releases', id, name)]
      if (name.endsWith('.onnx')) symlinkSync(from, to)
      else copyFileSync(from, to)
    }
  }
  for (const name of ['service.json', 'routing.json']) copyFileSync(join(service, name), join(state, name))
} catch (error) {
  console.error('launch.cjs: ' + error.message)
  process.exit(2)
}
const agent = '${IMAGE_AGENT}/agent.cjs'
process.argv = [process.argv[0], agent, 'serve', state]
require(agent)
`
