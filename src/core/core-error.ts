/** What a {@link CoreError} may carry besides its message. */
export interface CoreErrorOptions {
  /** What the user can do about it. */
  readonly hint?: string
  /** Facts for programs: expected and found values, names, limits. JSON only. */
  readonly details?: Readonly<Record<string, unknown>>
}

/**
 * An error of the pure domain that is meant for people: bad model, bad dataset, recipe that does not apply.
 * `code` is one of the codes in `contract/errors.ts`; core may not import the contract, which turns a CoreError
 * into an EdgesmithError where it crosses a process. Bugs stay plain errors.
 */
export class CoreError extends Error {
  readonly code: string
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>> | undefined

  constructor(code: string, message: string, options: CoreErrorOptions = {}) {
    super(message)
    this.name = 'CoreError'
    this.code = code
    this.hint = options.hint
    this.details = options.details
  }
}
