import { afterEach, beforeEach, vi } from 'vitest'

// Set-up tells the person at the keyboard what it does; in the tests' own output that is noise.
beforeEach(() => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})
afterEach(() => {
  vi.restoreAllMocks()
})
