// The program on the device, bundled into one file: `run` answers one request of the host, `host` and `work` do so in a way that a broken
// link does not end, `serve` answers HTTP. Threads of it are several benchmark streams beside each other (`stream`), copies of a
// served model (`model`), and what reads the machine's sensors during a run (`telemetry`).
import { isMainThread } from 'node:worker_threads'
import { agentVersion } from './agent-version.ts'

const USAGE = `Usage:
  agent run            answer one request from standard input (the protocol of Edgesmith)
  agent host FOLDER    start the run in a folder as a program of its own, or find it again, and pass its messages on
  agent work FOLDER    be that program
  agent serve CONFIG   serve a model as a REST API, as the file CONFIG describes;
                       with --attached it ends when its standard input does
  agent supervise FOLDER  keep the service in FOLDER serving
  agent recover FOLDER  undo a deploy of the service in FOLDER that was cut off
  agent --version      print the version
`

const [command, ...operands] = process.argv.slice(2)
if (command === '--version' && operands.length === 0) {
  process.stdout.write(`${agentVersion}\n`)
} else if (command === 'run' && operands.length === 0) {
  void import('./run-command.ts').then(({ runCommand }) => runCommand()).then((code) => process.exit(code))
} else if (command === 'host' && operands.length === 1) {
  void import('./host-command.ts').then(({ hostCommand }) => hostCommand(operands[0] as string)).then((code) => process.exit(code))
} else if (command === 'work' && operands.length === 1) {
  void import('./work-command.ts').then(({ workCommand }) => workCommand(operands[0] as string)).then((code) => process.exit(code))
} else if (command === 'serve' && (operands.length === 1 || (operands.length === 2 && operands[1] === '--attached'))) {
  void import('./serve/serve-command.ts')
    .then(({ serveCommand }) => serveCommand(operands[0] as string, operands.length === 2))
    .then((code) => process.exit(code))
} else if (command === 'supervise' && operands.length === 1) {
  void import('./services/supervise-command.ts')
    .then(({ superviseCommand }) => superviseCommand(operands[0] as string))
    .then((code) => process.exit(code))
} else if (command === 'recover' && operands.length === 1) {
  void import('./services/recover-command.ts')
    .then(({ recoverCommand }) => recoverCommand(operands[0] as string))
    .then((code) => process.exit(code))
} else if (command === 'stream' && !isMainThread) {
  void import('../engine/measure/stream-worker.ts').then(({ runStream }) => runStream())
} else if (command === 'model' && !isMainThread) {
  void import('./serve/workers/model-worker.ts').then(({ runModelWorker }) => runModelWorker())
} else if (command === 'prediction-log' && !isMainThread) {
  void import('./monitor/prediction-log-thread.ts').then(({ runPredictionLog }) => runPredictionLog())
} else if (command === 'telemetry' && !isMainThread) {
  void import('../engine/measure/telemetry-worker.ts').then(({ runTelemetry }) => runTelemetry())
} else {
  process.stderr.write(USAGE)
  process.exitCode = 2
}
