// A program that measures on a device until somebody kills it. Argument: options of a session as JSON, and the folder of a stand-in's files.
import { openSshSession, type SshSessionOptions } from '../../src/remote/ssh-session.ts'
import { makeStandIn, recordingReporter } from './stand-in-agent.ts'

const [optionsJson, folder] = process.argv.slice(2) as [string, string]
const options = JSON.parse(optionsJson) as Omit<SshSessionOptions, 'bundle'>
const session = await openSshSession({ ...options, bundle: makeStandIn(folder).bundle })
const reporter = recordingReporter()
reporter.progress = ({ phase, done }) => {
  if (phase === 'measuring') process.stdout.write(`${done}\n`)
}
await session.runAgent({ command: 'bench', model: '/models/hang', settings: {} }, reporter)
