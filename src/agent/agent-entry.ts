// The program on the device, bundled into one file: `run` answers one request of the host, `serve` answers HTTP. Several benchmark
// streams beside each other are threads of it with the command `stream`.
import { isMainThread } from 'node:worker_threads'
import { agentVersion } from './agent-version.ts'
import { runCommand } from './run-command.ts'
import { serveCommand } from './serve/serve-command.ts'

const USAGE = `Usage:
  agent run            answer one request from standard input (the protocol of Edgesmith)
  agent serve CONFIG   serve a model as a REST API, as the file CONFIG describes;
                       with --attached it ends when its standard input does
  agent --version      print the version
`

const [command, ...operands] = process.argv.slice(2)
if (command === '--version' && operands.length === 0) {
  process.stdout.write(`${agentVersion}\n`)
} else if (command === 'run' && operands.length === 0) {
  void runCommand().then((code) => process.exit(code))
} else if (command === 'serve' && (operands.length === 1 || (operands.length === 2 && operands[1] === '--attached'))) {
  void serveCommand(operands[0] as string, operands.length === 2).then((code) => process.exit(code))
} else if (command === 'stream' && !isMainThread) {
  void import('../engine/measure/stream-worker.ts').then(({ runStream }) => runStream())
} else {
  process.stderr.write(USAGE)
  process.exitCode = 2
}
