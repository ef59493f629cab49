import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { isProcessAlive, processIdentity } from '../../src/backend/process-identity.ts'

test('a running process is alive under its identity, an ended one is not', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const identity = processIdentity(child.pid)
  expect(isProcessAlive(processIdentity())).toBe(true)
  expect(isProcessAlive(identity)).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'close')
  expect(isProcessAlive(identity)).toBe(false)
})

test('a pid that is used again by another process, or was of another boot, is not the same process', () => {
  const [boot, pid, start] = processIdentity().split(':')
  expect(isProcessAlive(`${boot}:${pid}:${Number(start) - 1}`)).toBe(false)
  expect(isProcessAlive(`other-boot:${pid}:${start}`)).toBe(false)
  for (const broken of ['', 'a:b:c', `${boot}:-1:0`, `${boot}:0:0`]) expect(isProcessAlive(broken)).toBe(false)
})
