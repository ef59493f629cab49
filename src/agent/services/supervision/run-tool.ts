import { spawn } from 'node:child_process'

/** How a tool of the system answered; `code` is null where it is not there or took too long. */
export interface ToolAnswer {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

/** Characters of an answer that are kept. */
export const mostToolText = 1_000_000

interface ToolOptions {
  readonly input?: string
  /** Of input and output; latin1 for bytes that come back as they were, whatever text they are. */
  readonly encoding?: 'utf8' | 'latin1'
  readonly timeoutMs?: number
}

/** Runs a tool of the system (systemctl, crontab, …) with its messages in English; never rejects. */
export function runTool(
  program: string,
  operands: readonly string[],
  { input = '', encoding = 'utf8', timeoutMs = 30_000 }: ToolOptions = {},
): Promise<ToolAnswer> {
  return new Promise((resolve) => {
    const child = spawn(program, operands, {
      env: { ...process.env, ...userBus(), LC_ALL: 'C', SYSTEMD_PAGER: '', SYSTEMD_COLORS: '0' },
      stdio: 'pipe',
      windowsHide: true,
    })
    let output = ''
    let errors = ''
    child.stdout.setEncoding(encoding).on('data', (text: string) => {
      output = (output + text).slice(0, mostToolText)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(0, mostToolText)
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
    child.stdin.end(input, encoding)
  })
}

/** A login without a session of its own (sshd without PAM, cron) does not say where the user's systemd listens. */
function userBus(): NodeJS.ProcessEnv {
  const uid = process.getuid?.()
  if (uid === undefined || process.env.XDG_RUNTIME_DIR) return {}
  return { XDG_RUNTIME_DIR: `/run/user/${uid}` }
}
