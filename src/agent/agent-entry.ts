// The program on the device, bundled into one file: `run` answers one request of the host, `serve` answers HTTP.
import { agentVersion } from './agent-version.ts'
import { runCommand } from './run-command.ts'
import { serveCommand } from './serve/serve-command.ts'

const USAGE = `Usage:
  agent run            answer one request from standard input (the protocol of Edgesmith)
  agent serve CONFIG   serve a model as a REST API, as the file CONFIG describes
  agent --version      print the version
`

const [command, ...operands] = process.argv.slice(2)
if (command === '--version' && operands.length === 0) {
  process.stdout.write(`${agentVersion}\n`)
} else if (command === 'run' && operands.length === 0) {
  void runCommand().then((code) => process.exit(code))
} else if (command === 'serve' && operands.length === 1) {
  void serveCommand(operands[0] as string).then((code) => process.exit(code))
} else {
  process.stderr.write(USAGE)
  process.exitCode = 2
}
