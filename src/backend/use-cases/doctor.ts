import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { doctorCheckSchema } from '../../contract/doctor.ts'
import type { HandlersOf } from '../handlers.ts'
import type { Services } from '../services.ts'

/** What is installed and what is missing: the checks of set-up (only in a clone), and of the program itself. */
export function doctorHandlers(services: Services): HandlersOf<'doctor'> {
  return {
    'doctor.run': async () => {
      const { root, agentFolder } = services.layout
      const own = [
        {
          name: 'agent',
          status: existsSync(join(agentFolder, 'agent.cjs')) ? ('ok' as const) : ('missing' as const),
          found: existsSync(join(agentFolder, 'agent.cjs')) ? agentFolder : 'not built',
          needed: 'the bundle that measures and serves',
          fix: existsSync(join(agentFolder, 'agent.cjs')) ? null : 'npm run build',
        },
        { name: 'workspace', status: 'ok' as const, found: services.workspace, needed: 'a folder to write to', fix: null },
      ]
      const script = join(root, 'scripts/doctor-checks.mjs')
      if (!existsSync(script)) return own
      const { runChecks } = (await import(pathToFileURL(script).href)) as { runChecks: () => unknown }
      return [...z.array(doctorCheckSchema).parse(await runChecks()), ...own]
    },
  }
}
