import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const module = join(import.meta.dirname, '../../../src/engine/measure/memory-use.ts')
/** Starts itself with 400 MB in use, and prints what its child says of its own memory. */
const program = `
  const { spawnSync } = await import('node:child_process')
  if (process.argv[1] === 'child') {
    const { MemoryWatch } = await import(${JSON.stringify(module)})
    process.stdout.write(JSON.stringify(new MemoryWatch().read(0)))
  } else {
    const ballast = Buffer.alloc(400e6, 1)
    const child = spawnSync(process.execPath, ['--input-type=module', '--no-warnings', '-e', process.env.PROGRAM, 'child'])
    process.stdout.write(child.stdout)
    process.exitCode = ballast.length > 0 ? child.status : 1
  }`

// Where the kernel keeps no peak for the process itself, only what it hands on can be asked for.
it.runIf(process.platform === 'linux')('does not count the memory of the process that started this one', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--no-warnings', '-e', program], {
    env: { ...process.env, PROGRAM: program },
  })
  const { rssBytes, peakRssBytes } = JSON.parse(stdout) as { rssBytes: number; peakRssBytes: number }
  expect(peakRssBytes).toBeGreaterThanOrEqual(rssBytes * 0.9)
  expect(peakRssBytes).toBeLessThan(300e6)
})
