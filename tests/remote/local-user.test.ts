import { describe, expect, it, vi } from 'vitest'
import { resolveSshTarget } from '../../src/remote/ssh-target.ts'

vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  userInfo: () => {
    throw new Error('A system error occurred: uv_os_get_passwd returned ENOENT (no such file or directory)')
  },
}))

const nowhere = { home: '/nowhere', configPaths: [] }
const secrets = { password: null, passphrase: null }
const jumping = (jump: string) =>
  resolveSshTarget({ host: 'board', port: 22, user: 'pi', auth: { method: 'default' }, configHost: null, jump }, secrets, nowhere)

describe('an account of this computer without a name', () => {
  it('reaches every host whose user is given', async () => {
    const target = await jumping('admin@gateway')
    expect(target).toMatchObject({ host: 'board', user: 'pi', jumps: [{ host: 'gateway', user: 'admin' }] })
  })

  it('is told where a user has to be given', async () => {
    await expect(jumping('gateway')).rejects.toMatchObject({ code: 'SSH_CONFIG_INVALID', message: '"" cannot be the user for gateway' })
  })
})
