// Asks the device server with a client that others wrote: Triton's tritonclient for Python (see serving/v2_client.py for its version).
//
//   python3 -m venv /tmp/v2 && /tmp/v2/bin/pip install "tritonclient[http]==2.73.0" numpy
//   node bench/v2-client.ts --python /tmp/v2/bin/python
//
// Prints what was asked and ends with 1 when an answer was not what the client expects.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { TOKEN, testService } from '../tests/agent/service-fixture.ts'
import { linearModel } from '../tests/engine/measure/small-models.ts'

const { values: options } = parseArgs({ options: { python: { type: 'string', default: 'python3' } } })

const service = await testService(
  linearModel('N', [
    [2, 0, 0],
    [0, 2, 0],
    [0, 0, 2],
  ]),
)
const script = fileURLToPath(new URL('./serving/v2_client.py', import.meta.url))
const child = spawn(options.python, [script, `127.0.0.1:${service.port}`, TOKEN, 'test'], { stdio: 'inherit' })
const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
await service.service.close()
const errors = service.events.filter(({ level }) => level === 'error')
for (const error of errors) console.error(JSON.stringify(error))
process.exitCode = code === 0 && errors.length === 0 ? 0 : 1
