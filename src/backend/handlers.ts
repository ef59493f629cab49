import type { ProcedureArguments, ProcedureName, ProcedureOutput } from '../contract/procedures.ts'

/** One function for each procedure, taking checked input. */
export type Handlers = {
  readonly [N in ProcedureName]: (input: ProcedureArguments<N>) => ProcedureOutput<N> | Promise<ProcedureOutput<N>>
}

/** The handlers of the procedures whose names start with one of the given nouns. */
export type HandlersOf<Noun extends string> = Pick<Handlers, Extract<ProcedureName, `${Noun}.${string}`>>
