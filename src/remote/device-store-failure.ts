import { EdgesmithError } from '../contract/errors.ts'
import type { ScriptResult } from './remote-script.ts'
import { shownText } from './shown-text.ts'

/** How programs in the C locale say that a disk is full; the last is GNU tar's way. */
const noSpacePattern = /No space left|[Dd]isk quota exceeded|Wrote only \d+ of \d+ bytes/

/** The error for a script of the store that failed. @param what was not possible, as the start of a sentence */
export function storeFailure(place: string, result: ScriptResult, what: string): EdgesmithError {
  if (noSpacePattern.test(result.stderr)) return noSpaceFor(place, null, null)
  return storeCommandFailed(
    place,
    `${what.charAt(0).toLowerCase()}${what.slice(1)}: ${shownText(result.stderr) || `exit code ${result.end.exitCode}`}`,
  )
}

export function storeCommandFailed(place: string, what: string, hint?: string): EdgesmithError {
  return new EdgesmithError('DEVICE_COMMAND_FAILED', `${place}: ${what}`, { hint })
}

export function arrivedCorrupt(place: string, sha256: string, name: string): EdgesmithError {
  return new EdgesmithError('BUNDLE_CORRUPT', `${name} arrived on ${place} with another content (${sha256.slice(0, 12)}), twice`, {
    hint: 'Start again. If it stays, the storage of the device or of this computer is failing.',
    details: { sha256 },
  })
}

/** All is gone but system units, which only root may delete. */
export function unitsLeft(place: string, units: readonly string[]): EdgesmithError {
  const commands = units.map((unit) => `sudo systemctl disable --now ${unit.slice(unit.lastIndexOf('/') + 1)} && sudo rm ${unit}`)
  return new EdgesmithError('SUDO_NEEDED', `A system unit is left on ${place} that only root may delete: ${units.join(', ')}`, {
    hint: `Everything else is gone. On the device: ${commands.join('; ')}`,
    details: { units },
  })
}

export function noSpaceFor(place: string, neededBytes: number | null, freeBytes: number | null): EdgesmithError {
  const numbers =
    neededBytes === null || freeBytes === null ? '' : `: ${Math.ceil(neededBytes / 1e6)} MB needed, ${Math.floor(freeBytes / 1e6)} MB free`
  return new EdgesmithError('DEVICE_NO_SPACE', `Not enough free disk on ${place}${numbers}`, {
    hint: 'Free some space on the device, for example: sudo apt-get clean. Nothing was left there.',
    details: { neededBytes, freeBytes },
  })
}
