import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from './ssh-device.ts'

/** A running virtual machine. */
export interface VmProcess {
  /** Of 127.0.0.1, leads to its SSH server. */
  readonly port: number
  /** Runs a shell command as `pi` with the system's own `ssh`; answers what it prints. @throws when it fails */
  run(command: string): Promise<string>
  /** Keeps memory and devices in the disk as they are now. */
  saveSnapshot(): Promise<void>
  /** Pulls the plug. */
  stop(): Promise<void>
}

const snapshotName = 'started'
/** 9 s from a snapshot and 43 s without one were measured on two cores. */
const startTimeoutMs = 600_000

/**
 * Starts the machine and waits for its SSH server. It has no way to any network; its processor is emulated (Cortex-A72, two cores).
 * @param folder holds vmlinuz, initrd.gz and id, the key of `pi`
 * @param disk is written to
 */
export async function startVm(folder: string, disk: string, options: { readonly fromSnapshot: boolean }): Promise<VmProcess> {
  const port = await freePort()
  const runtime = mkdtempSync(join(tmpdir(), 'edgesmith-vm-'))
  const [consolePath, monitorPath] = [join(runtime, 'console'), join(runtime, 'monitor')]
  const quiet = 'console=ttyAMA0 quiet loglevel=3 systemd.show_status=0 mitigations=off random.trust_cpu=on audit=0 apparmor=0 selinux=0'
  const args = [
    ...['-M', 'virt', '-cpu', 'cortex-a72', '-smp', '2', '-m', '1024', '-accel', 'tcg,thread=multi,tb-size=256'],
    ...['-display', 'none', '-serial', `file:${consolePath}`, '-monitor', `unix:${monitorPath},server=on,wait=off`],
    ...['-kernel', join(folder, 'vmlinuz'), '-initrd', join(folder, 'initrd.gz'), '-append', quiet],
    ...['-drive', `file=${disk},format=qcow2,if=none,id=disk,cache=unsafe`, '-device', 'virtio-blk-pci,drive=disk'],
    ...['-device', 'virtio-rng-pci', '-netdev', `user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22`],
    // Without a boot ROM, which would come from a package of its own.
    ...['-device', 'virtio-net-pci,netdev=net,romfile='],
    ...(options.fromSnapshot ? ['-loadvm', snapshotName] : []),
  ]
  const child = spawn('qemu-system-aarch64', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-5000)))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const killNow = () => child.kill('SIGKILL')
  process.once('exit', killNow)
  const readConsole = () => (existsSync(consolePath) ? readFileSync(consolePath, 'utf8') : '')
  const stop = async () => {
    process.off('exit', killNow)
    killNow()
    await ended
    rmSync(runtime, { recursive: true, force: true })
  }
  for (let waitedMs = 0; ; waitedMs += 500) {
    if (await greets(port)) break
    if (child.exitCode !== null || waitedMs > startTimeoutMs) {
      const log = `${said}\n${readConsole().slice(-2000)}`
      await stop()
      throw new Error(`The virtual machine did not start: ${log}`)
    }
    await delay(500)
  }
  return {
    port,
    run: (line) => runThere(port, join(folder, 'id'), line),
    saveSnapshot: () => command(monitorPath, `savevm ${snapshotName}`),
    stop,
  }
}

async function runThere(port: number, keyPath: string, line: string): Promise<string> {
  const options = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR', '-o', 'BatchMode=yes']
  const args = [...options, '-F', 'none', '-i', keyPath, '-p', String(port), 'pi@127.0.0.1', line]
  return (await promisify(execFile)('ssh', args, { encoding: 'utf8' })).stdout
}

/** Whether an SSH server answers; the port itself is open as soon as the machine has a network card. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const settle = (is: boolean) => {
      socket.destroy()
      resolve(is)
    }
    socket.setTimeout(10_000, () => settle(false))
    socket
      .once('error', () => settle(false))
      .once('close', () => settle(false))
      .once('data', (greeting) => settle(greeting.toString('latin1').startsWith('SSH-')))
  })
}

/** One command of QEMU's monitor; answers when the prompt is back. */
function command(monitorPath: string, line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(monitorPath)
    let said = ''
    const prompts = () => said.split('(qemu)').length - 1
    socket.setEncoding('utf8').on('data', (text: string) => {
      const before = prompts()
      said += text
      if (before === 0 && prompts() > 0) socket.write(`${line}\n`)
      if (prompts() < 2) return
      socket.destroy()
      if (/error/i.test(said)) reject(new Error(`QEMU: ${said.trim()}`))
      else resolve()
    })
    socket.once('error', reject)
  })
}
