import { shellQuote } from '../../../core/shell-quote.ts'

/** Ends a line of ours; the folder says which service it starts. */
const mark = (folder: string) => `# edgesmith ${folder}`

/** A crontab with the line that starts a service with the machine; all other lines stay as they are. */
export function withCronLine(crontab: string, folder: string): string {
  const others = withoutCronLine(crontab, folder)
  const command = `/bin/sh ${shellQuote(`${folder}/start`)} </dev/null >/dev/null 2>&1 ${mark(folder)}`
  // In a crontab a percent sign ends the command.
  return `${others}${others === '' || others.endsWith('\n') ? '' : '\n'}@reboot ${command.replaceAll('%', '\\%')}\n`
}

export function withoutCronLine(crontab: string, folder: string): string {
  const lines = crontab.split('\n')
  return lines.filter((line) => !isLineOf(line, folder)).join('\n')
}

export function hasCronLine(crontab: string, folder: string): boolean {
  return crontab.split('\n').some((line) => isLineOf(line, folder))
}

function isLineOf(line: string, folder: string): boolean {
  return line.startsWith('@reboot ') && line.endsWith(` ${mark(folder).replaceAll('%', '\\%')}`)
}
