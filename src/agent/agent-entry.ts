// The program on the device, bundled into one file: `run` answers one request of the host, `host` and `work` do so in a way that a broken
// link does not end, `serve` answers HTTP. Threads of it are several benchmark streams beside each other (`stream`), and what reads the
// machine's sensors meanwhile (`telemetry`).
import { isMainThread } from 'node:worker_threads'
import { agentVersion } from './agent-version.ts'
import { hostCommand } from './host-command.ts'
import { runCommand } from './run-command.ts'
import { serveCommand } from './serve/serve-command.ts'
import { workCommand } from './work-command.ts'

const USAGE = `Usage:
  agent run            answer one request from standard input (the protocol of Edgesmith)
  agent host FOLDER    start the run in a folder as a program of its own, or find it again, and pass its messages on
  agent work FOLDER    be that program
  agent serve CONFIG   serve a model as a REST API, as the file CONFIG describes;
                       with --attached it ends when its standard input does
  agent --version      print the version
`

const [command, ...operands] = process.argv.slice(2)
if (command === '--version' && operands.length === 0) {
  process.stdout.write(`${agentVersion}\n`)
} else if (command === 'run' && operands.length === 0) {
  void runCommand().then((code) => process.exit(code))
} else if (command === 'host' && operands.length === 1) {
  void hostCommand(operands[0] as string).then((code) => process.exit(code))
} else if (command === 'work' && operands.length === 1) {
  void workCommand(operands[0] as string).then((code) => process.exit(code))
} else if (command === 'serve' && (operands.length === 1 || (operands.length === 2 && operands[1] === '--attached'))) {
  void serveCommand(operands[0] as string, operands.length === 2).then((code) => process.exit(code))
} else if (command === 'stream' && !isMainThread) {
  void import('../engine/measure/stream-worker.ts').then(({ runStream }) => runStream())
} else if (command === 'telemetry' && !isMainThread) {
  void import('../engine/measure/telemetry-worker.ts').then(({ runTelemetry }) => runTelemetry())
} else {
  process.stderr.write(USAGE)
  process.exitCode = 2
}
