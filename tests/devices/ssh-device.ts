import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { descendantsOf, listProcesses } from './device-processes.ts'

/**
 * Test device A: a real OpenSSH server on loopback. As root it logs in a user made for it, with an empty home directory, by key and by password.
 * Not as root a server can only log in its own user, and only by key: then `password` is null, and HOME is set to an
 * empty folder so that the real home directory is left alone.
 */
export interface SshDevice {
  readonly host: string
  readonly port: number
  readonly user: string
  /** Private key without passphrase that may log in. */
  readonly keyPath: string
  readonly password: string | null
  /** Of the ed25519 host key, as `ssh-keygen -l` prints it. */
  readonly hostFingerprint: string
  /** HOME of sessions. */
  readonly home: string
  /** Folder for further files of a test; goes with the device. */
  readonly folder: string
  /** Makes a file or folder that a test put there the user's own. */
  give(path: string): void
  /** What the server logged so far. */
  log(): string
  /** Processes that belong to the device, the server itself left out. */
  processes(): { readonly pid: number; readonly command: string }[]
  /** Cuts all connections: the server processes behind them are killed. */
  cutConnections(): void
  /** Starts the server again on the same port with a new host key; answers the new fingerprint. */
  changeHostKey(): Promise<string>
  /** Ends all processes and removes all files and the user. */
  stop(): Promise<void>
}

export interface SshDeviceOptions {
  /** PATH of sessions; default: the system's programs. */
  readonly path?: string
  /** Further lines of sshd_config. They come first, and the first of equal settings wins. */
  readonly config?: readonly string[]
  /** Key types of the host; the first one is there in any case. */
  readonly hostKeyTypes?: readonly ('ed25519' | 'ecdsa' | 'rsa')[]
  /** Log-in shell (as root only). */
  readonly shell?: string
}

const isRoot = process.getuid?.() === 0
const folderPrefix = 'edgesmith-device-'
let started = 0

/** Path of the OpenSSH server. @throws when none is installed */
export function sshdPath(): string {
  const found = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd'].find((path) => existsSync(path))
  if (!found) throw new Error('No OpenSSH server: apt-get install openssh-server')
  return found
}

/** Starts a device; takes a good half second. Devices of test runs that died are cleared away first. */
export async function startSshDevice(options: SshDeviceOptions = {}): Promise<SshDevice> {
  const sshd = sshdPath()
  clearDead()
  const folder = mkdtempSync(join(tmpdir(), `${folderPrefix}${process.pid}-`))
  chmodSync(folder, 0o755)
  const home = join(folder, 'home')
  mkdirSync(join(home, '.ssh'), { recursive: true, mode: 0o700 })
  const keyPath = makeKey(join(folder, 'id'), 'ed25519')
  writeFileSync(join(home, '.ssh', 'authorized_keys'), readFileSync(`${keyPath}.pub`), { mode: 0o600 })
  const password = isRoot ? randomBytes(9).toString('base64url') : null
  const user = isRoot ? `esdev-${process.pid}-${++started}` : userInfo().username
  if (password !== null) addUser(user, password, home, options.shell ?? '/bin/bash')
  const types = [...new Set(['ed25519', ...(options.hostKeyTypes ?? [])])]
  for (const type of types) makeKey(join(folder, `host_${type}`), type)

  const configure = (port: number) => {
    const environment = [`HOME=${home}`, ...(options.path === undefined ? [] : [`PATH=${options.path}`])]
    const lines = [
      ...(options.config ?? []),
      ...[`Port ${port}`, 'ListenAddress 127.0.0.1', `PidFile none`, 'UsePAM no', 'StrictModes no', 'UseDNS no'],
      ...types.map((type) => `HostKey ${join(folder, `host_${type}`)}`),
      ...[`AuthorizedKeysFile ${join(home, '.ssh', 'authorized_keys')}`, `PasswordAuthentication ${isRoot ? 'yes' : 'no'}`],
      ...['KbdInteractiveAuthentication no', 'MaxStartups 50:30:100', 'MaxSessions 50', 'LogLevel VERBOSE'],
      `SetEnv ${environment.join(' ')}`,
    ]
    writeFileSync(join(folder, 'sshd_config'), `${lines.join('\n')}\n`)
  }

  let server: ChildProcess | null = null
  const start = async (wanted?: number): Promise<number> => {
    for (let attempt = 0; attempt < 10; attempt++) {
      const port = wanted ?? (await freePort())
      configure(port)
      const child = spawn(sshd, ['-D', '-f', join(folder, 'sshd_config'), '-E', join(folder, 'sshd.log')], { stdio: 'ignore' })
      server = child
      if (await answers(port, child)) return port
    }
    throw new Error(`sshd did not start: ${readLog()}`)
  }
  const readLog = () => (existsSync(join(folder, 'sshd.log')) ? readFileSync(join(folder, 'sshd.log'), 'utf8') : '')
  const uid = isRoot ? Number(execFileSync('id', ['-u', user], { encoding: 'utf8' })) : null
  const ours = () => {
    const all = listProcesses()
    const ofServer = new Set(server?.pid === undefined ? [] : descendantsOf(server.pid, all).map(({ pid }) => pid))
    return all.filter(
      ({ pid, uid: owner, command }) => pid !== server?.pid && (ofServer.has(pid) || owner === uid || command.includes(home)),
    )
  }

  let port: number
  try {
    port = await start()
  } catch (error) {
    if (isRoot) removeUser(user)
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  return {
    host: '127.0.0.1',
    port,
    user,
    keyPath,
    password,
    hostFingerprint: fingerprintOf(join(folder, 'host_ed25519.pub')),
    home,
    folder,
    give: (path) => {
      if (isRoot) execFileSync('chown', ['-R', user, path])
    },
    log: readLog,
    processes: () => ours().filter(({ command }) => !command.startsWith('sshd')),
    cutConnections: () => {
      for (const { pid, command } of ours()) if (command.startsWith('sshd')) killQuietly(pid)
    },
    changeHostKey: async () => {
      await endServer(server)
      for (const type of types) {
        rmSync(join(folder, `host_${type}`))
        rmSync(join(folder, `host_${type}.pub`))
        makeKey(join(folder, `host_${type}`), type)
      }
      await start(port)
      return fingerprintOf(join(folder, 'host_ed25519.pub'))
    },
    stop: async () => {
      // Listed before the server goes, which would cut the line of descent.
      for (const { pid } of ours()) killQuietly(pid)
      await endServer(server)
      for (let tries = 0; ours().length > 0 && tries < 100; tries++) {
        for (const { pid } of ours()) killQuietly(pid)
        await delay(20)
      }
      if (isRoot) removeUser(user)
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** Fingerprint of a public key file. */
export function fingerprintOf(publicKeyPath: string): string {
  return execFileSync('ssh-keygen', ['-lf', publicKeyPath], { encoding: 'utf8' }).split(' ')[1] ?? ''
}

/** Makes a key pair at `path` and `path`.pub; answers `path`. */
export function makeKey(path: string, type: string, passphrase = ''): string {
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'test', '-f', path])
  return path
}

/** A TCP port of 127.0.0.1 that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  return address.port
}

function addUser(user: string, password: string, home: string, shell: string): void {
  // The privilege separation folder that the package's start script would make.
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  whileLocked(() =>
    execFileSync('useradd', ['--no-create-home', '--no-user-group', '--home-dir', home, '--shell', shell, user], { stdio: 'pipe' }),
  )
  whileLocked(() => execFileSync('chpasswd', { input: `${user}:${password}\n`, stdio: 'pipe' }))
  const [uid, gid] = execFileSync('sh', ['-c', 'id -u "$1"; id -g "$1"', 'sh', user], { encoding: 'utf8' }).split('\n').map(Number)
  for (const path of [home, join(home, '.ssh'), join(home, '.ssh', 'authorized_keys')]) chownSync(path, uid ?? 0, gid ?? 0)
}

function removeUser(user: string): void {
  whileLocked(() => execFileSync('userdel', ['--force', user], { stdio: 'pipe' }))
}

/** Several test files add users at once, and the password file is locked while one of them does. */
function whileLocked(work: () => void): void {
  for (let tries = 1; ; tries++) {
    try {
      work()
      return
    } catch (error) {
      if (tries === 50 || !/lock/.test(String((error as { stderr?: Buffer }).stderr))) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
    }
  }
}

async function answers(port: number, child: ChildProcess): Promise<boolean> {
  for (let tries = 0; tries < 250 && child.exitCode === null; tries++) {
    const greeted = await new Promise<boolean>((resolve) => {
      const socket = connectTcp(port, '127.0.0.1')
      socket
        .once('error', () => resolve(false))
        .once('data', (greeting) => {
          socket.destroy()
          resolve(greeting.toString('latin1').startsWith('SSH-'))
        })
    })
    if (greeted && child.exitCode === null) return true
    await delay(20)
  }
  return false
}

async function endServer(server: ChildProcess | null): Promise<void> {
  if (server === null || server.exitCode !== null || server.signalCode !== null) return
  const ended = new Promise((resolve) => server.once('exit', resolve))
  server.kill('SIGKILL')
  await ended
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

/** Folders, users and processes of test processes that were killed before they could clean up. */
function clearDead(): void {
  const isDead = (pid: number) => !existsSync(`/proc/${pid}`)
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${folderPrefix}(\\d+)-`).exec(name)?.[1]
    if (pid === undefined || !isDead(Number(pid))) continue
    const folder = join(tmpdir(), name)
    for (const process of listProcesses()) if (process.command.includes(folder)) killQuietly(process.pid)
    rmSync(folder, { recursive: true, force: true })
  }
  if (!isRoot) return
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const found = /^(esdev-(\d+)-\d+):/.exec(line)
    if (found?.[1] && isDead(Number(found[2]))) removeUser(found[1])
  }
}
