import { resolve } from 'node:path'
import type { Backend } from '../backend/backend.ts'
import { findProgramLayout } from '../backend/program-layout.ts'
import { defaultWorkspace } from '../backend/workspace-path.ts'
import { EdgesmithError, type ErrorReport, errorCatalogue, toErrorReport } from '../contract/errors.ts'
import { answerQuestions } from './answer-questions.ts'
import type { Command, CommandContext, CommandResult } from './command.ts'
import { commands } from './commands.ts'
import { environmentSecrets } from './environment-secrets.ts'
import { commandHelp, groupHelp, overviewHelp } from './help.ts'
import type { Interruption } from './interruption.ts'
import { parseArguments, splitCommand } from './parse-arguments.ts'
import { didYouMean } from './suggestion.ts'
import type { Terminal } from './terminal.ts'

/** What the program runs in. */
export interface Surroundings {
  readonly environment: NodeJS.ProcessEnv
  readonly workingFolder: string
  readonly terminal: Terminal
  readonly interruption: Interruption
}

const NOTHING_KEPT = 'Nothing half-made was kept.'

/** Exit codes of SPEC.md. */
export type ExitCode = 0 | 1 | 2

/**
 * Runs one command line and prints what it gives.
 *
 * @param args the words after the program's name
 * @returns 0 done; 1 the work failed or a limit was missed; 2 wrong usage or unusable input
 */
export async function runCommandLine(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { terminal } = surroundings
  const json = args.includes('--json')
  try {
    const chosen = splitCommand(args, commands)
    if (!chosen.command) return withoutCommand(args, chosen.name, terminal)
    if (chosen.rest.includes('--version')) return printVersion(terminal)
    // Asked for help, a wrong option beside it does not matter.
    if (chosen.rest.includes('--help')) {
      terminal.print(commandHelp(chosen.command))
      return 0
    }
    return await runCommand(chosen.command, chosen.rest, surroundings, json)
  } catch (error) {
    return printFailure(toErrorReport(error), terminal, json)
  }
}

async function runCommand(command: Command, args: readonly string[], surroundings: Surroundings, json: boolean): Promise<ExitCode> {
  const { environment, workingFolder, terminal, interruption } = surroundings
  const { options, positionals } = parseArguments(command, args)
  let opening: Promise<Backend> | undefined
  const context: CommandContext = {
    backend: () => {
      opening ??= open(options.workspace, surroundings, terminal.interactive && !json)
      return opening
    },
    workingFolder,
    environment,
    terminal,
    interruption,
    json,
  }
  let giveUp: () => void = () => undefined
  const givenUp = new Promise<never>((_resolve, reject) => {
    giveUp = interruption.handle(() => reject(new EdgesmithError('JOB_CANCELLED', 'Cancelled.', { hint: NOTHING_KEPT })))
  })
  try {
    const result = await Promise.race([command.run(context, options, positionals), givenUp])
    giveUp()
    printResult(result, terminal, json)
    await result.hold?.()
    if (result.failure && !json) printFailure(toErrorReport(result.failure), terminal, false)
    return result.failure ? exitCodeOf(toErrorReport(result.failure)) : 0
  } finally {
    giveUp()
    const backend = await opening?.catch(() => undefined)
    await backend?.close()
  }
}

/** Loaded only when a command needs it: help and wrong usage are answered at once, without database and SSH. */
async function open(workspace: unknown, { environment, workingFolder, terminal }: Surroundings, interactive: boolean): Promise<Backend> {
  const { openBackend } = await import('../backend/backend.ts')
  const backend = await openBackend({
    workspace: typeof workspace === 'string' ? resolve(workingFolder, workspace) : defaultWorkspace(environment),
    secrets: environmentSecrets(environment),
    answersQuestions: interactive,
  })
  if (interactive) answerQuestions(backend, terminal)
  return backend
}

function printResult({ document, text, failure }: CommandResult, terminal: Terminal, json: boolean): void {
  if (!json) terminal.print(text)
  else terminal.printJson(failure ? { ...document, error: toErrorReport(failure) } : document)
}

/** Answers a command line that names no command: help that was asked for goes to standard output, anything else is wrong usage. */
function withoutCommand(args: readonly string[], name: string, terminal: Terminal): ExitCode {
  if (args.includes('--version')) return printVersion(terminal)
  const words = args.filter((arg) => !arg.startsWith('-'))
  const asked = name === 'help' || args.includes('--help')
  const topic = (name === 'help' ? words.slice(1) : words).join(' ')
  const help = helpOn(topic)
  if (asked && help !== undefined) {
    terminal.print(help)
    return 0
  }
  const names = commands.map((command) => command.name)
  throw new EdgesmithError(
    'USAGE',
    topic === '' ? 'No command was given' : help === undefined ? `There is no command "${topic}"` : `"${topic}" is not a whole command`,
    {
      hint:
        help === undefined || topic === ''
          ? `${didYouMean(topic, names) ?? ''} edgesmith --help lists all commands.`.trim()
          : `One of: ${names.filter((known) => known.startsWith(`${topic} `)).join(', ')}. edgesmith ${topic} --help says what they do.`,
    },
  )
}

/** Help on a command, on the commands that begin with a word, or on everything; undefined when there is none of that name. */
function helpOn(topic: string): string | undefined {
  if (topic === '') return overviewHelp(commands)
  const command = commands.find(({ name }) => name === topic)
  if (command) return commandHelp(command)
  return commands.some(({ name }) => name.startsWith(`${topic} `)) ? groupHelp(topic, commands) : undefined
}

function printVersion(terminal: Terminal): ExitCode {
  terminal.print(`edgesmith ${findProgramLayout().version} (Node.js ${process.version})`)
  return 0
}

/** Prints an error and answers its exit code: `{"error": …}` on standard output with `--json`, otherwise lines on standard error. */
function printFailure(error: ErrorReport, terminal: Terminal, json: boolean): ExitCode {
  if (json) terminal.printJson({ error })
  else terminal.note(`edgesmith: ${error.code}: ${error.message}\n  ${error.hint ?? fallbackHint(error)}`)
  return exitCodeOf(error)
}

function exitCodeOf({ code }: ErrorReport): ExitCode {
  return code !== 'INTERNAL' && errorCatalogue[code].kind === 'input' ? 2 : 1
}

/** Where the message says all and the meaning of the code would only repeat it. */
const PLAIN_HINTS: Partial<Record<ErrorReport['code'], string>> = {
  USAGE: 'Every command explains itself with --help.',
  NAME_TAKEN: 'Choose another name.',
  FILE_NOT_FOUND: 'Check the path.',
  DATASET_EMPTY: 'Check that it is the right file: at least one sample is needed.',
}

/** What to do about an error that does not say it itself. */
function fallbackHint({ code }: ErrorReport): string {
  if (code === 'JOB_CANCELLED') return NOTHING_KEPT
  if (code === 'INTERNAL') return 'This is a bug in Edgesmith. edgesmith jobs lists the job; edgesmith job ID prints its log.'
  const hint = PLAIN_HINTS[code]
  if (hint) return hint
  const { kind, means } = errorCatalogue[code]
  return kind === 'input' ? `It means: ${means}.` : `It means: ${means}. edgesmith jobs lists the job; edgesmith job ID prints its log.`
}
