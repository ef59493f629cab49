import { spawn } from 'node:child_process'

/** How a tool of the system answered; `code` is null where it is not there or took too long. */
export interface ToolAnswer {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

const mostText = 1_000_000

/** Runs a tool of the system (systemctl, crontab, …) with its messages in English; never rejects. */
export function runTool(
  program: string,
  operands: readonly string[],
  { input, timeoutMs = 30_000 }: { readonly input?: string; readonly timeoutMs?: number } = {},
): Promise<ToolAnswer> {
  return new Promise((resolve) => {
    const child = spawn(program, operands, {
      env: { ...process.env, ...userBus(), LC_ALL: 'C', SYSTEMD_PAGER: '', SYSTEMD_COLORS: '0' },
      stdio: 'pipe',
      windowsHide: true,
    })
    let output = ''
    let errors = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(0, mostText)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString('utf8')).slice(0, mostText)
    })
    const cut = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    child.once('error', (error) => {
      clearTimeout(cut)
      resolve({ code: null, output, errors: error.message })
    })
    child.once('close', (code) => {
      clearTimeout(cut)
      resolve({ code, output, errors })
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(input ?? '')
  })
}

/** A login without a session of its own (sshd without PAM, cron) does not say where the user's systemd listens. */
function userBus(): NodeJS.ProcessEnv {
  const uid = process.getuid?.()
  if (uid === undefined || process.env.XDG_RUNTIME_DIR) return {}
  return { XDG_RUNTIME_DIR: `/run/user/${uid}` }
}
