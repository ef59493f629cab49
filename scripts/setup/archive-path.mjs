import { isAbsolute, join, normalize, sep } from 'node:path'
import { SetupError } from './setup-error.mjs'

/**
 * @param {string} archive named in the error
 * @param {string} problem
 * @returns {SetupError}
 */
export function damagedArchive(archive, problem) {
  return new SetupError('ARCHIVE_DAMAGED', `${archive} is damaged: ${problem}`, 'Run the same command again; it is downloaded anew.')
}

/**
 * The place of an archive's entry below the target folder. An archive must not write anywhere else.
 * @param {string} archive
 * @param {string} directory
 * @param {string} entryPath as written in the archive, with forward slashes
 * @returns {string}
 * @throws {SetupError} ARCHIVE_DAMAGED for absolute paths and paths that leave the folder
 */
export function placeInside(archive, directory, entryPath) {
  const place = normalize(entryPath)
  if (isAbsolute(place) || place.split(sep).includes('..') || entryPath.includes('\0'))
    throw damagedArchive(archive, `entry ${JSON.stringify(entryPath)}`)
  return join(directory, place)
}
