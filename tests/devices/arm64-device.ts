import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { arm64Root } from './arm64-root.ts'
import { type Board, boardFiles } from './board-files.ts'
import { isServer } from './closed-device.ts'
import type { DeviceProcess } from './device-processes.ts'
import { startInetdServer } from './inetd-server.ts'
import { type Namespace, namespaceProblem, openNamespace } from './namespace.ts'
import { fingerprintOf, makeKey, type SshDevice, sshdPath } from './ssh-device.ts'
import { installTrtexec } from './trtexec-stand-in.ts'

/**
 * Test device B: a board with an ARM processor, emulated program by program (qemu-user). Every program on it is one for arm64, only the
 * SSH server is this computer's. It has no network: connections reach it through a socket of this computer. Its files and tools are those
 * of a Raspberry Pi or Jetson as far as Edgesmith looks at them. Inference is about 280 times slower than on this computer.
 */
export interface Arm64Device extends SshDevice {
  /** Path of the home directory on the device; `home` is where this computer sees it. */
  readonly homeThere: string
  processes(): DeviceProcess[]
  /** Writes one of the board's files, for example `/sys/class/thermal/thermal_zone0/temp` or `/usr/local/board/throttled`. */
  write(path: string, content: string): void
}

export interface Arm64DeviceOptions {
  /** Default: Raspberry Pi 5. */
  readonly board?: Board
  /** What getconf and ldd say; default: the truth, and 2.27 on JetPack 4. */
  readonly glibc?: string
  /** getconf and dpkg say that programs are 32-bit ones, as on a Raspberry Pi OS for 32 bits with a 64-bit kernel. */
  readonly userLandBits?: 32 | 64
  /** Programs may not run from the home directory. */
  readonly noexecHome?: boolean
  /** The home directory lies on a disk of this size. */
  readonly homeBytes?: number
}

const folderPrefix = 'edgesmith-arm64-'
/** How the kernel is told to run arm64 programs; part of qemu-user-static. */
const binfmtFile = '/usr/lib/binfmt.d/qemu-aarch64.conf'
const uid = 1000
const homeThere = '/home/pi'
/** Folders that every device has its own of. */
const ownFolders = ['etc', 'proc', 'sys', 'usr/local', 'usr/src', 'var/lib/dpkg']

/** Why no such device can be started here; null when one can. Makes its root file system the first time, which takes a quarter of a minute. */
export async function arm64DeviceProblem(): Promise<string | null> {
  const problem = arm64MachineProblem()
  if (problem !== null) return problem
  const root = await arm64Root()
  return 'problem' in root ? root.problem : null
}

/** What an arm64 namespace must register to run arm64 programs; empty where this computer's kernel runs them already, in chroots too (flag F). */
export function binfmtToRegister(): string {
  const known = '/proc/sys/fs/binfmt_misc/qemu-aarch64'
  const registered = existsSync(known) ? readFileSync(known, 'utf8') : ''
  return /^enabled$/m.test(registered) && /^flags: \w*F/m.test(registered) ? '' : binfmtFile
}

/** Why arm64 programs cannot be run in a namespace here; null when they can. */
export function arm64MachineProblem(): string | null {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'it is emulated on Linux for x86-64 only'
  const registers = binfmtToRegister() !== ''
  if (registers && !existsSync(binfmtFile)) return 'qemu-user-static is not installed'
  // Interpreters of one's own need Linux 6.7, and a container that does not forbid them.
  return namespaceProblem(true, `mount -t proc proc /proc${registers ? ' && mount -t binfmt_misc none /proc/sys/fs/binfmt_misc' : ''}`)
}

/** Starts a device; takes half a second. @throws where {@link arm64DeviceProblem} names a reason */
export async function startArm64Device(options: Arm64DeviceOptions = {}): Promise<Arm64Device> {
  const root = await arm64Root()
  if ('problem' in root) throw new Error(root.problem)
  clearDead()
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const folder = mkdtempSync(join(tmpdir(), `${folderPrefix}${process.pid}-`))
  chmodSync(folder, 0o755)
  const place = (path: string) => join(folder, 'board', path)
  const write = (path: string, content: string) => {
    mkdirSync(dirname(place(path)), { recursive: true })
    writeFileSync(place(path), content, { mode: path.includes('/bin/') ? 0o755 : 0o644 })
  }
  layBoard(root.path, options, place, write)
  const keyPath = makeKey(join(folder, 'id'), 'ed25519')
  const password = randomBytes(9).toString('base64url')
  writeAccounts(join(folder, 'accounts'), password)
  makeKey(join(folder, 'host_ed25519'), 'ed25519')
  copyFileSync(`${keyPath}.pub`, join(folder, 'authorized_keys'))
  writeServerConfig(folder)
  const homeHere = join(folder, 'home')
  mkdirSync(homeHere, { mode: 0o700 })
  chownSync(homeHere, uid, uid)

  const ownDisk = options.noexecHome === true || options.homeBytes !== undefined
  const homeOptions = `size=${options.homeBytes ?? 1 << 30}${options.noexecHome ? ',noexec' : ''}`
  const inside = [root.path, join(folder, 'board'), join(folder, 'accounts'), ownDisk ? 'tmpfs' : homeHere, binfmtToRegister(), homeOptions]
  let space: Namespace
  try {
    space = await openNamespace('arm64-namespace.sh', inside, { users: true })
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  const log = join(folder, 'sshd.log')
  const server = await startInetdServer(space.enter(sshdPath(), '-i', '-f', join(folder, 'sshd_config'), '-E', log))
  return {
    host: '127.0.0.1',
    port: server.port,
    user: 'pi',
    keyPath,
    password,
    hostFingerprint: fingerprintOf(join(folder, 'host_ed25519.pub')),
    home: ownDisk ? space.pathHere(`/mnt${homeThere}`) : homeHere,
    homeThere,
    folder,
    write,
    give: (path) => void execFileSync('chown', ['-R', `${uid}:${uid}`, path]),
    log: () => (existsSync(log) ? readFileSync(log, 'utf8') : ''),
    processes: () => space.processes().filter((process) => !isServer(process)),
    cutConnections: () => {
      for (const { pid } of space.processes().filter(isServer)) process.kill(pid, 'SIGKILL')
    },
    changeHostKey: async () => {
      for (const name of ['host_ed25519', 'host_ed25519.pub']) rmSync(join(folder, name))
      makeKey(join(folder, 'host_ed25519'), 'ed25519')
      return fingerprintOf(join(folder, 'host_ed25519.pub'))
    },
    stop: async () => {
      const stopped = server.stop()
      await space.close()
      await stopped
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

function layBoard(
  root: string,
  options: Arm64DeviceOptions,
  place: (path: string) => string,
  write: (path: string, content: string) => void,
): void {
  const board = options.board ?? 'pi5'
  for (const name of ownFolders) mkdirSync(place(name), { recursive: true })
  cpSync(join(root, 'etc'), place('etc'), { recursive: true, verbatimSymlinks: true })
  for (const name of ['os-release', 'passwd', 'group', 'hostname']) rmSync(join(place('etc'), name), { force: true })
  write('/etc/passwd', `root:x:0:0:root:/root:/bin/bash\npi:x:${uid}:${uid}::${homeThere}:/bin/bash\n`)
  write('/etc/group', `root:x:0:\npi:x:${uid}:\n`)
  write('/etc/hostname', 'board\n')
  write('/var/lib/dpkg/status', '')
  for (const folder of ['info', 'updates']) mkdirSync(join(place('var/lib/dpkg'), folder), { recursive: true })
  for (const [path, content] of Object.entries(boardFiles(board, cpus().length))) write(path, content)
  if (board === 'orin') {
    const trtexec = place('usr/src/tensorrt/bin')
    installTrtexec(trtexec, { version: '10.3' })
    // The stand-in notes its calls beside itself, as the user of the device.
    chmodSync(trtexec, 0o777)
  }
  const glibc = options.glibc ?? (board === 'nano-jetpack-4' ? '2.27' : undefined)
  const answers = [
    ...(glibc === undefined ? [] : [`GNU_LIBC_VERSION) echo 'glibc ${glibc}'; exit ;;`]),
    ...(options.userLandBits === 32 ? ['LONG_BIT) echo 32; exit ;;'] : []),
  ]
  const script = (before: string, program: string) => `#!/bin/sh\n${before}\nexec ${program} "$@"\n`
  if (answers.length > 0) {
    // Several names may be asked at once: each is answered on a line of its own.
    const each = `case "$1" in\n${answers.join('\n')}\nesac`
    write('/usr/local/bin/getconf', script(each, '/usr/bin/getconf'))
  }
  if (glibc !== undefined) write('/usr/local/bin/ldd', `#!/bin/sh\necho 'ldd (Ubuntu GLIBC ${glibc}-3ubuntu1.6) ${glibc}'\n`)
  if (options.userLandBits === 32)
    write('/usr/local/bin/dpkg', script('[ "$1" = --print-architecture ] && echo armhf && exit', '/usr/bin/dpkg'))
}

/** `/etc` of the SSH server: a copy, because tests beside this one change this computer's accounts. */
function writeAccounts(folder: string, password: string): void {
  mkdirSync(folder)
  const lines = {
    passwd: `root:x:0:0:root:/root:/bin/sh\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\npi:x:${uid}:${uid}::${homeThere}:/bin/bash\n`,
    group: `root:x:0:\nnogroup:x:65534:\npi:x:${uid}:\n`,
    shadow: `root:*:20000:0:99999:7:::\nsshd:!:20000::::::\npi:${hashOf(password)}:20000:0:99999:7:::\n`,
    'nsswitch.conf': 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n',
    hosts: '127.0.0.1 localhost\n',
  }
  for (const [name, text] of Object.entries(lines)) writeFileSync(join(folder, name), text)
  for (const name of ['ld.so.cache', 'login.defs']) if (existsSync(join('/etc', name))) copyFileSync(join('/etc', name), join(folder, name))
}

/** As crypt(3) makes it (SHA-512). */
function hashOf(password: string): string {
  return execFileSync('perl', ['-e', 'print crypt($ARGV[0], "\\$6\\$edgesmith\\$")', '--', password], { encoding: 'utf8' })
}

function writeServerConfig(folder: string): void {
  const path = '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin'
  const lines = [
    ...[`HostKey ${join(folder, 'host_ed25519')}`, `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`, 'UsePAM no', 'StrictModes no'],
    ...['UseDNS no', 'PasswordAuthentication yes', 'KbdInteractiveAuthentication no', 'MaxSessions 50', 'LogLevel VERBOSE'],
    ...['ChrootDirectory /mnt', 'Subsystem sftp internal-sftp', `SetEnv PATH=${path}`],
  ]
  writeFileSync(join(folder, 'sshd_config'), `${lines.join('\n')}\n`)
}

/** Folders of test processes that were killed; their devices ended with them. */
function clearDead(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${folderPrefix}(\\d+)-`).exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
}
