import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { installOptionalParts } from '../../scripts/setup/system-packages.mjs'
import { missingBoardParts, missingVirtualMachineParts } from '../../scripts/setup/system-parts.mjs'

afterEach(() => {
  vi.restoreAllMocks()
})

test('names what the virtual machine lacks, each with its package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgesmith-empty-path-'))
  const missing = missingVirtualMachineParts({ PATH: folder })
  rmSync(folder, { recursive: true })
  expect(missing).toContainEqual({ what: 'qemu-system-aarch64', package: 'qemu-system-arm', neededFor: 'the arm64 virtual machine' })
  expect(missing).toContainEqual({ what: 'cpio', package: 'cpio', neededFor: 'the arm64 virtual machine' })
})

/** Nothing is installed for those that are not root. */
function beOrdinaryUser(): void {
  vi.spyOn(process, 'getuid').mockReturnValue(1000)
}

test('an ordinary user is not asked for what only root could use', () => {
  beOrdinaryUser()
  expect(missingBoardParts({ PATH: '' })).toEqual([])
})

test('parts that cannot be installed are a notice, no error', async () => {
  const said: string[] = []
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said.push(String(text))
    return true
  })
  const missing = [{ what: 'an-emulator', package: 'edgesmith-test-emulator', neededFor: 'the arm64 test device' }]
  beOrdinaryUser()
  await installOptionalParts(missing)
  await installOptionalParts([])
  vi.restoreAllMocks()
  expect(said).toEqual(['Not installed here: an-emulator. Without it the tests of the arm64 test device are skipped.\n'])
})
