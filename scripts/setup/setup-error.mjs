/**
 * @typedef {'PLATFORM_UNSUPPORTED' | 'NODE_TOO_OLD' | 'DISK_FULL' | 'NOT_WRITABLE' | 'NETWORK_UNREACHABLE' | 'PACKAGE_NOT_FOUND'
 *   | 'INTEGRITY_MISMATCH' | 'ARCHIVE_DAMAGED' | 'LOCKFILE_INCOMPLETE' | 'NPM_FAILED' | 'RUNTIME_MISSING' | 'ELECTRON_MISSING'
 *   | 'SYSTEM_PACKAGES_MISSING' | 'SANDBOX_UNAVAILABLE' | 'DISPLAY_UNAVAILABLE' | 'LOCKED' | 'BUILD_FAILED' | 'WRONG_USAGE'} SetupErrorCode
 */

/** A set-up problem that the person at the keyboard can do something about: what happened and what to do. Anything else is a bug. */
export class SetupError extends Error {
  /**
   * @param {SetupErrorCode} code
   * @param {string} message what happened
   * @param {string} hint what to do about it
   */
  constructor(code, message, hint) {
    super(message)
    this.name = 'SetupError'
    this.code = code
    this.hint = hint
  }
}

/**
 * Turns the file system's own errors into set-up errors; passes every other error through unchanged.
 * @param {unknown} error
 * @param {string} place the file or folder being written
 * @returns {unknown}
 */
export function explainFileError(error, place) {
  if (error instanceof SetupError || !(error instanceof Error)) return error
  const code = /** @type {NodeJS.ErrnoException} */ (error).code
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new SetupError(
      'DISK_FULL',
      `No space left while writing ${place}`,
      'Free some space on that disk, then run the same command again.',
    )
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const hint = 'Give your user the right to write there (it may have been created by root), or work in a copy you own.'
    return new SetupError('NOT_WRITABLE', `No permission to write ${place}`, hint)
  }
  return error
}

/**
 * Prints a set-up error as code, what happened and what to do; a bug is printed with its stack. Returns the exit code.
 * @param {unknown} error
 * @returns {1}
 */
export function printSetupError(error) {
  if (error instanceof SetupError)
    process.stderr.write(`\nerror ${error.code}: ${error.message}\n  ${error.hint.replaceAll('\n', '\n  ')}\n`)
  else process.stderr.write(`\n${error instanceof Error ? error.stack : String(error)}\n`)
  return 1
}
