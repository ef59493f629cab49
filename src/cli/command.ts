import type { Backend } from '../backend/backend.ts'
import type { EdgesmithError } from '../contract/errors.ts'
import type { Interruption } from './interruption.ts'
import type { Option, OptionValues } from './option.ts'
import type { Terminal } from './terminal.ts'

/** An argument without dashes; `many` takes all that are left, at least one. */
interface Positional {
  readonly description: string
  readonly many?: boolean
}

export type Positionals = Readonly<Record<string, Positional>>

type PositionalValues<P extends Positionals> = {
  readonly [K in keyof P]: P[K] extends { readonly many: true } ? readonly string[] : string
}

/** What a command works with. */
export interface CommandContext {
  /** Opens the workspace on first use: wrong usage never makes one. */
  backend(): Promise<Backend>
  /** Relative paths are meant from here. */
  readonly workingFolder: string
  readonly environment: NodeJS.ProcessEnv
  readonly terminal: Terminal
  /** Somebody reads standard output with a program: ask no questions. */
  readonly json: boolean
  readonly interruption: Interruption
}

/** What a command found or made. */
export interface CommandResult {
  /** What `--json` prints. */
  readonly document: object
  /** What people see. */
  readonly text: string
  /** The results are there and are printed, and still the exit code is this error's (a missed gate). */
  readonly failure?: EdgesmithError | undefined
  /** Goes on after printing, until it resolves (a service in the foreground). */
  readonly hold?: () => Promise<void>
}

/** Terms with what they mean, under a title. */
export interface HelpSection {
  readonly title: string
  readonly rows: readonly (readonly [term: string, description: string])[]
}

export interface CommandDefinition<O extends Readonly<Record<string, Option>>, P extends Positionals> {
  /** One word or two: `device add`. */
  readonly name: string
  readonly summary: string
  readonly positionals: P
  readonly options: O
  /** Tables of the help after the options, made when somebody asks for it. */
  readonly sections?: () => readonly HelpSection[]
  /** Further paragraphs of the help. */
  readonly notes?: readonly string[]
  readonly examples: readonly string[]
  readonly run: (context: CommandContext, options: OptionValues<O>, positionals: PositionalValues<P>) => Promise<CommandResult>
}

/** A command as the table of all commands holds it, with its argument types checked and then forgotten. */
export interface Command extends Omit<CommandDefinition<Readonly<Record<string, Option>>, Positionals>, 'run'> {
  readonly run: (
    context: CommandContext,
    options: Readonly<Record<string, unknown>>,
    positionals: Readonly<Record<string, unknown>>,
  ) => Promise<CommandResult>
}

/** Declares a command; `run` gets values of the types its options and arguments say. */
export function defineCommand<const O extends Readonly<Record<string, Option>>, const P extends Positionals>(
  definition: CommandDefinition<O, P>,
): Command {
  // The parser fills in exactly the values that OptionValues and PositionalValues describe.
  return definition as unknown as Command
}
