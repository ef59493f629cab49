import { resolve } from 'node:path'
import type { z } from 'zod'
import { EdgesmithError } from '../../contract/errors.ts'
import type { JobReporter } from '../../contract/job.ts'
import type { serviceRequestSchema } from '../../contract/service-protocol.ts'
import { type Answer, MachineServices } from './machine-services.ts'

/**
 * Looks at or changes the services of this machine.
 *
 * @returns reports always, the rest where it was asked for
 * @throws EdgesmithError `USAGE`, `DEVICE_BUSY`, `NOT_FOUND`, `DEPLOY_FAILED`, `PORT_TAKEN`, `SUDO_NEEDED`, `SERVICE_NOT_RUNNING`, `DEVICE_NO_SPACE`
 */
export async function serviceCommand(asked: z.output<typeof serviceRequestSchema>, reporter: JobReporter): Promise<Answer> {
  const { root, owner, request } = asked
  // Paths become lines of units, crontabs and of files that a shell script reads.
  if (/\p{Cc}/u.test(resolve(root))) {
    throw new EdgesmithError('USAGE', `Services cannot lie in ${JSON.stringify(root)}: its name has control characters.`, {
      hint: 'Choose another folder.',
    })
  }
  try {
    return await new MachineServices(resolve(root), owner, reporter).act(request)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (error instanceof EdgesmithError || (code !== 'ENOSPC' && code !== 'EDQUOT')) throw error
    throw new EdgesmithError('DEVICE_NO_SPACE', `The disk of the machine is full: ${(error as Error).message}`, {
      hint: 'Free some space there and deploy again; what served before is still there.',
    })
  }
}
