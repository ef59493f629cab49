import type { Deployment } from '../../contract/deployment.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { ServiceReport } from '../../contract/service-protocol.ts'
import type { CommandContext } from '../command.ts'

type Version = ServiceReport['versions'][number]

/** The argument of commands about a version. */
export const releasePositional = { description: 'version: its id, the beginning of that, or the name of its model' } as const

/** A version beside the current one, by id, beginning of id, or the name of its model. @throws EdgesmithError `NOT_FOUND`, `USAGE` when several fit */
export async function findVersionBeside(context: CommandContext, { id, service }: Deployment, text: string): Promise<Version> {
  const { versions } = await (await context.backend()).call('deployments.report', { id })
  const beside = versions.filter(({ role }) => role === 'beside')
  const found = beside.filter(
    ({ release, modelName }) => (text.length >= 4 && release.startsWith(text.toLowerCase())) || modelName === text,
  )
  const [version] = found
  if (version && found.length === 1) return version
  const listed = beside.map(({ release, modelName }) => `${release} (${modelName})`).join(', ')
  throw version
    ? new EdgesmithError('USAGE', `"${text}" fits ${found.length} versions of ${service}`, { hint: `Give the id: ${listed}.` })
    : new EdgesmithError('NOT_FOUND', `${service} has no version "${text}" beside the current one`, {
        hint: listed === '' ? 'edgesmith deploy with --weight, --canary or --shadow brings one.' : `It has: ${listed}.`,
      })
}
